import DequeModule
import FoundationEssentials
import HTTPTypes
import ImageModel
import NIOCore
import NIOHTTP1

/// Enforces the rules of HTTP that need the message as it arrived: answers requests that `RequestRules` refuses and input that
/// is not HTTP, sends no body in response to HEAD, and ends the connection where the version or `Connection` requires it.
///
/// It sits directly behind the decoder. A response of the gate itself is the connection's last one.
final class RequestGate: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// Triggered when the server drains: the connection ends after its pending responses, or at once without any.
    struct EndBehindAnswers: Sendable {}

    /// An admitted request that is not answered yet.
    private struct ClientExchange {
        let isHead: Bool
        let version: HTTPVersion
        var isKeptAlive: Bool
        /// Whether the client waits for 100 (Continue) before it sends the body.
        var isAwaitingContinue: Bool
        /// Whether the whole request has arrived.
        var isComplete = false
        /// Whether the head of its response has been written.
        var isAnswering = false
    }

    /// How long the gate keeps reading and dropping input after the last response. If the connection closed at once while the
    /// client still sends, the system would reset it and the client would lose the response.
    private static let lingering: TimeAmount = .seconds(2)

    /// A request that the gate refused, and that no handler behind it sees.
    struct RejectedRequest {
        let requestID: String
        /// Both are nil if the head could not be read.
        let method: String?
        let path: String?
        let status: HTTPResponse.Status
        /// The length of the response body, in bytes.
        let length: Int
    }

    /// The last response of a connection.
    private struct LastAnswer {
        let error: APIError
        /// The head of the request; nil if it could not be read.
        var head: HTTPRequestHead?
        /// Whether the request was passed on, so that the handlers behind the gate log it.
        var wasLetIn = false
        var isToHead = false
    }

    /// Called when the first request is admitted, and when the system has accepted the last response.
    private let noteActivity: (_ isBusy: Bool) -> Void
    private let noteRefusal: (RejectedRequest) -> Void
    /// In order of arrival; the first one is being answered.
    private var exchanges: Deque<ClientExchange> = [] { didSet { noteChange() } }
    /// The number of responses that are written, but not yet accepted by the system in full.
    private var unsent = 0 { didSet { noteChange() } }
    private var isBusy = false
    /// The last response, while it waits for earlier ones.
    private var lastAnswer: LastAnswer?
    /// Whether the last response is written.
    private var isOver = false
    /// Whether the connection ends once the system has accepted everything written.
    private var isEndingWhenSent = false

    init(
        noteActivity: @escaping (_ isBusy: Bool) -> Void = { _ in }, noteRefusal: @escaping (RejectedRequest) -> Void = { _ in }
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

    /// Whether further input follows the last request and is dropped.
    private var isIgnoringInput: Bool {
        isOver || lastAnswer != nil || (exchanges.last.map { $0.isComplete && !$0.isKeptAlive } ?? false)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isIgnoringInput { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            if let error = RequestRules.refusal(of: head) {
                return refuse(LastAnswer(error: error, head: head, isToHead: head.method == .HEAD), context)
            }
            exchanges.append(
                ClientExchange(
                    isHead: head.method == .HEAD, version: head.version,
                    isKeptAlive: head.isKeepAlive && !RequestRules.endsDecoding(head),
                    isAwaitingContinue: RequestRules.isAwaitingContinue(head)))
        case .body: if !exchanges.isEmpty { exchanges[exchanges.count - 1].isAwaitingContinue = false }
        case .end:
            if !exchanges.isEmpty {
                exchanges[exchanges.count - 1].isAwaitingContinue = false
                exchanges[exchanges.count - 1].isComplete = true
            }
        }
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if isOver || lastAnswer != nil { return }  // the decoder reports every further piece
        guard let parserError = error as? HTTPParserError else { return context.fireErrorCaught(error) }
        if let broken = exchanges.last, !broken.isComplete {
            if broken.isAnswering {
                exchanges[exchanges.count - 1].isKeptAlive = false
            } else {
                exchanges.removeLast()
                refuse(
                    LastAnswer(error: RequestRules.refusal(of: parserError), wasLetIn: true, isToHead: broken.isHead), context)
            }
        } else {
            refuse(LastAnswer(error: RequestRules.refusal(of: parserError)), context)
        }
        // Handlers that wait for the rest of the request must not wait forever; their responses are dropped.
        context.fireErrorCaught(error)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !isOver, let exchange = exchanges.first else { return drop(promise) }
        switch unwrapOutboundIn(data) {
        case .head(let head) where (100..<200).contains(head.status.code):
            guard exchange.isAwaitingContinue else { return drop(promise) }
            exchanges[0].isAwaitingContinue = false
            context.write(data, promise: promise)
        case .head(var head):
            // It is unknown whether a client that received no 100 (Continue) will send the body.
            let wantsEnd = head.headers[canonicalForm: "Connection"].contains { $0.lowercased() == "close" }
            if exchange.isAwaitingContinue || wantsEnd { exchanges[0].isKeptAlive = false }
            exchanges[0].isAnswering = true
            head.version = exchange.version
            if !exchanges[0].isKeptAlive {
                head.headers.replaceOrAdd(name: "Connection", value: "close")
            } else if exchange.version.isOld {
                // Without a length the response ends with the connection.
                exchanges[0].isKeptAlive = head.headers.contains(name: "Content-Length") || !head.status.mayHaveResponseBody
                head.headers.replaceOrAdd(name: "Connection", value: exchanges[0].isKeptAlive ? "keep-alive" : "close")
            }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body where exchange.isHead: promise?.succeed()
        case .body: context.write(data, promise: promise)
        case .end:
            let sent = written(promise, context)
            exchanges.removeFirst()
            if !exchange.isKeptAlive {
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
            RejectedRequest(
                requestID: requestID, method: answer.head?.method.rawValue, path: path, status: error.status,
                length: answer.isToHead ? 0 : body.count))
    }

    /// A promise for the end of a response, fulfilled when the system has accepted the whole response.
    private func written(_ promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext) -> EventLoopPromise<Void> {
        unsent += 1
        let promise = promise ?? context.eventLoop.makePromise()
        let channel = context.channel
        promise.futureResult.assumeIsolated().whenComplete { _ in
            self.unsent -= 1
            if self.unsent == 0, self.isEndingWhenSent { self.endOutput(channel) }
        }
        return promise
    }

    /// Ends the connection after the last response, once the system has accepted all of it.
    /// - Parameter last: the end of that response.
    private func end(_ context: ChannelHandlerContext, with last: NIOAny, _ sent: EventLoopPromise<Void>) {
        isOver = true
        exchanges = []
        // Not earlier: a client that has closed its side would lose what is not written yet.
        isEndingWhenSent = true
        context.writeAndFlush(last, promise: sent)
    }

    private func endOutput(_ channel: any Channel) {
        isEndingWhenSent = false
        channel.close(mode: .output, promise: nil)
        channel.eventLoop.scheduleTask(in: Self.lingering) { channel.close(promise: nil) }
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is EndBehindAnswers else { return context.triggerUserOutboundEvent(event, promise: promise) }
        promise?.succeed()
        if isOver { return }
        if !exchanges.isEmpty {
            exchanges[exchanges.count - 1].isKeptAlive = false
        } else if unsent > 0 {
            isOver = true
            isEndingWhenSent = true
        } else {
            context.close(promise: nil)
        }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .output, unsent > 0 else { return context.close(mode: mode, promise: promise) }
        // The server has written everything, but the system has not accepted all of it.
        promise?.succeed()
        isOver = true
        isEndingWhenSent = true
    }
}
