import DequeModule
import FoundationEssentials
import HTTPTypes
import ImageModel
import NIOCore
import NIOHTTP1

/// Holds a connection to the rules of HTTP that need the message as it came: refuses what `RequestRules` refuses, answers what is no
/// HTTP, sends no body in answer to HEAD, and ends the connection where the version or `Connection` asks for it.
///
/// It stands right behind the decoder. What it answers itself is the connection's last answer.
final class RequestGate: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// Sent to the gate when the server drains: the connection ends behind the answers that are due, and at once if there are none.
    struct EndBehindAnswers: Sendable {}

    /// A request that was let in and is not answered yet.
    private struct Exchange {
        let isHead: Bool
        let version: HTTPVersion
        var keepsAlive: Bool
        /// Whether the client waits for a word before it sends the body.
        var awaitsContinue: Bool
        /// Whether all of it came.
        var isComplete = false
        /// Whether the head of its answer is out.
        var isAnswering = false
    }

    /// A client that goes on sending would never see the last answer if the connection ended at once: the system drops it then. So what
    /// still comes is read and dropped for a while.
    private static let lingering: TimeAmount = .seconds(2)

    /// A request that was refused here, so that nobody behind the gate knows of it.
    struct Refusal {
        let requestID: String
        /// Both nil if the head could not be read.
        let method: String?
        let path: String?
        let status: HTTPResponse.Status
        /// The length of the answer's body.
        let length: Int
    }

    /// The connection's last answer.
    private struct LastAnswer {
        let error: APIError
        /// The request's; nil if it could not be read.
        var head: HTTPRequestHead?
        /// Whether the request was let in, so that others know of it.
        var wasLetIn = false
        var isToHead = false
    }

    /// Told when the first request is let in, and when the last answer is with the system.
    private let noteActivity: (_ isBusy: Bool) -> Void
    private let noteRefusal: (Refusal) -> Void
    /// In the order in which they came; the first is being answered.
    private var exchanges: Deque<Exchange> = [] { didSet { noteChange() } }
    /// How many answers are written, but not yet all with the system.
    private var unsent = 0 { didSet { noteChange() } }
    private var isBusy = false
    /// The last answer while it waits for those before it.
    private var lastAnswer: LastAnswer?
    /// Whether the last answer is written.
    private var isOver = false
    /// Whether the connection ends when the system has all that is written.
    private var endsWhenSent = false

    init(
        noteActivity: @escaping (_ isBusy: Bool) -> Void = { _ in }, noteRefusal: @escaping (Refusal) -> Void = { _ in }
    ) {
        self.noteActivity = noteActivity
        self.noteRefusal = noteRefusal
    }

    private func noteChange() {
        let isBusyNow = !exchanges.isEmpty || unsent > 0
        guard isBusyNow != isBusy else { return }
        isBusy = isBusyNow
        noteActivity(isBusyNow)
    }

    /// Whether what still comes is nobody's: behind the last request.
    private var ignoresInput: Bool {
        isOver || lastAnswer != nil || (exchanges.last.map { $0.isComplete && !$0.keepsAlive } ?? false)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if ignoresInput { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            if let error = RequestRules.refusal(of: head) {
                return refuse(LastAnswer(error: error, head: head, isToHead: head.method == .HEAD), context)
            }
            exchanges.append(
                Exchange(
                    isHead: head.method == .HEAD, version: head.version,
                    keepsAlive: head.isKeepAlive && !RequestRules.endsDecoding(head),
                    awaitsContinue: RequestRules.awaitsContinue(head)))
        case .body: if !exchanges.isEmpty { exchanges[exchanges.count - 1].awaitsContinue = false }
        case .end:
            if !exchanges.isEmpty {
                exchanges[exchanges.count - 1].awaitsContinue = false
                exchanges[exchanges.count - 1].isComplete = true
            }
        }
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if isOver || lastAnswer != nil { return }  // the decoder's, about each piece that comes behind
        guard let parserError = error as? HTTPParserError else { return context.fireErrorCaught(error) }
        if let broken = exchanges.last, !broken.isComplete {
            if broken.isAnswering {
                exchanges[exchanges.count - 1].keepsAlive = false
            } else {
                exchanges.removeLast()
                refuse(
                    LastAnswer(error: RequestRules.refusal(of: parserError), wasLetIn: true, isToHead: broken.isHead), context)
            }
        } else {
            refuse(LastAnswer(error: RequestRules.refusal(of: parserError)), context)
        }
        // Those who wait for more of the request must not wait for ever; what they answer is dropped.
        context.fireErrorCaught(error)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !isOver, let exchange = exchanges.first else { return drop(promise) }
        switch unwrapOutboundIn(data) {
        case .head(let head) where (100..<200).contains(head.status.code):
            guard exchange.awaitsContinue else { return drop(promise) }
            exchanges[0].awaitsContinue = false
            context.write(data, promise: promise)
        case .head(var head):
            // Nobody knows whether a client that was not told to go on will send the body.
            let wantsEnd = head.headers[canonicalForm: "Connection"].contains { $0.lowercased() == "close" }
            if exchange.awaitsContinue || wantsEnd { exchanges[0].keepsAlive = false }
            exchanges[0].isAnswering = true
            head.version = exchange.version
            if !exchanges[0].keepsAlive {
                head.headers.replaceOrAdd(name: "Connection", value: "close")
            } else if exchange.version.isOld {
                // Without a length the end of the connection is the answer's.
                exchanges[0].keepsAlive = head.headers.contains(name: "Content-Length") || !head.status.mayHaveResponseBody
                head.headers.replaceOrAdd(name: "Connection", value: exchanges[0].keepsAlive ? "keep-alive" : "close")
            }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body where exchange.isHead: promise?.succeed()
        case .body: context.write(data, promise: promise)
        case .end:
            let sent = written(promise, context)
            exchanges.removeFirst()
            if !exchange.keepsAlive {
                end(context, with: data, sent)
            } else {
                context.write(data, promise: sent)
                if exchanges.isEmpty, let lastAnswer { send(lastAnswer, context) }
            }
        }
    }

    private func drop(_ promise: EventLoopPromise<Void>?) { promise?.fail(ChannelError.ioOnClosedChannel) }

    private func refuse(_ answer: LastAnswer, _ context: ChannelHandlerContext) {
        guard exchanges.isEmpty else {
            lastAnswer = answer
            return
        }
        send(answer, context)
    }

    private func send(_ answer: LastAnswer, _ context: ChannelHandlerContext) {
        let error = answer.error
        let body = (try? error.document.written()) ?? Data()
        let requestID = APIContext.newRequestID()
        var fields: HTTPHeaders = [
            "Content-Type": "application/json", "Content-Length": "\(body.count)", "Connection": "close",
            "x-openstack-request-id": requestID,
        ]
        for field in error.headers { fields.add(name: field.name.rawName, value: field.value) }
        let status = HTTPResponseStatus(statusCode: error.status.code, reasonPhrase: error.status.reasonPhrase)
        context.write(wrapOutboundOut(.head(.init(version: .http1_1, status: status, headers: fields))), promise: nil)
        if !answer.isToHead {
            context.write(wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(bytes: body)))), promise: nil)
        }
        end(context, with: wrapOutboundOut(.end(nil)), written(nil, context))
        guard !answer.wasLetIn else { return }
        let path = answer.head.map { head in String(head.uri.prefix { $0 != "?" }) }
        noteRefusal(
            Refusal(
                requestID: requestID, method: answer.head?.method.rawValue, path: path, status: error.status,
                length: answer.isToHead ? 0 : body.count))
    }

    /// A promise for the end of an answer, kept when the system has all of the answer.
    private func written(_ promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext) -> EventLoopPromise<Void> {
        unsent += 1
        let promise = promise ?? context.eventLoop.makePromise()
        let channel = context.channel
        promise.futureResult.assumeIsolated().whenComplete { _ in
            self.unsent -= 1
            if self.unsent == 0, self.endsWhenSent { self.endOutput(channel) }
        }
        return promise
    }

    /// Ends the connection behind the last answer, once the system has all of that.
    /// - Parameter last: the end of that answer.
    private func end(_ context: ChannelHandlerContext, with last: NIOAny, _ sent: EventLoopPromise<Void>) {
        isOver = true
        exchanges = []
        // Not earlier: a client that has ended its own side would lose what is not written yet.
        endsWhenSent = true
        context.writeAndFlush(last, promise: sent)
    }

    private func endOutput(_ channel: any Channel) {
        endsWhenSent = false
        channel.close(mode: .output, promise: nil)
        channel.eventLoop.scheduleTask(in: Self.lingering) { channel.close(promise: nil) }
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is EndBehindAnswers else { return context.triggerUserOutboundEvent(event, promise: promise) }
        promise?.succeed()
        if isOver { return }
        if !exchanges.isEmpty {
            exchanges[exchanges.count - 1].keepsAlive = false
        } else if unsent > 0 {
            isOver = true
            endsWhenSent = true
        } else {
            context.close(promise: nil)
        }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .output, unsent > 0 else { return context.close(mode: mode, promise: promise) }
        // The server has nothing more to write, but not everything is sent.
        promise?.succeed()
        isOver = true
        endsWhenSent = true
    }
}
