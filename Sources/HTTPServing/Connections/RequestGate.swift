import DequeModule
import FoundationEssentials
import HTTPTypes
import ImageModel
import NIOCore
import NIOHTTP1

/// Enforces the rules of HTTP that need the message as it was received: refuses what `RequestRules` refuses, answers malformed
/// requests, sends no body in response to HEAD, and ends the connection where the version or `Connection` requires it.
///
/// It stands directly behind the decoder. A response of its own is the last one of its connection.
final class RequestGate: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// Sent to the gate when the server drains: the connection ends after the responses that are due, and at once if there are
    /// none.
    struct EndBehindAnswers: Sendable {}

    /// A request that was passed on and is not answered yet.
    private struct ClientExchange {
        /// How much of the request has come.
        enum Request {
            /// The client waits for `100 Continue` before it sends the body. Goes to: arriving, complete.
            case awaitingContinue
            /// The body may come. Goes to: complete.
            case arriving
            /// The request came to its end.
            case complete
        }

        let isHead: Bool
        let version: HTTPVersion
        var isKeptAlive: Bool
        var request: Request
        /// Whether the head of the response was written.
        var isAnswering = false
    }

    /// What the connection is doing.
    private enum State {
        /// Requests are passed on. Goes to: lastAnswerDue, ending.
        case open
        /// A response of the gate follows those that are due. Goes to: ending.
        case lastAnswerDue(LastAnswer)
        /// The last response is written; the connection ends once the system has all of it. Goes to: ended.
        case ending
        /// The output is closed.
        case ended

        var isOpen: Bool { if case .open = self { true } else { false } }

        /// Whether the last response is written.
        var isOver: Bool {
            switch self {
            case .open, .lastAnswerDue: false
            case .ending, .ended: true
            }
        }
    }

    /// How long bytes are read and dropped after the last response. If the connection ended at once, the system would discard
    /// the response of a client that is still sending.
    private static let lingering: TimeAmount = .seconds(2)

    /// A request that was refused here, so that the handlers after this one do not know of it.
    struct RejectedRequest {
        let requestID: String
        /// The method and the path; nil if the head could not be read.
        let method: String?
        let path: String?
        let status: HTTPResponse.Status
        /// The length of the response's body.
        let length: Int
    }

    /// A response of the gate, which ends the connection.
    private struct LastAnswer {
        let error: APIError
        /// The head of the request; nil if it could not be read.
        var head: HTTPRequestHead?
        /// Whether the request was passed on, so that others know of it.
        var wasPassedOn = false
        var isToHead = false
    }

    /// Called when the first request is passed on, and when the system has the last response.
    private let noteActivity: (_ isBusy: Bool) -> Void
    private let noteRefusal: (RejectedRequest) -> Void
    /// The requests in their order; the first one is being answered.
    private var exchanges: Deque<ClientExchange> = [] { didSet { noteChange() } }
    /// The number of responses that are written and that the system does not have completely.
    private var unsent = 0 { didSet { noteChange() } }
    /// The last value passed to `noteActivity`.
    private var isBusy = false
    private var state = State.open

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

    /// Whether the last request has come, so that all further input is dropped.
    private var isIgnoringInput: Bool {
        !state.isOpen || (exchanges.last.map { $0.request == .complete && !$0.isKeptAlive } ?? false)
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
                    request: RequestRules.isAwaitingContinue(head) ? .awaitingContinue : .arriving))
        case .body: if !exchanges.isEmpty { exchanges[exchanges.count - 1].request = .arriving }
        case .end: if !exchanges.isEmpty { exchanges[exchanges.count - 1].request = .complete }
        }
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if !state.isOpen { return }  // the decoder reports every further piece of input
        guard let parserError = error as? HTTPParserError else { return context.fireErrorCaught(error) }
        if let broken = exchanges.last, broken.request != .complete {
            if broken.isAnswering {
                exchanges[exchanges.count - 1].isKeptAlive = false
            } else {
                exchanges.removeLast()
                let error = RequestRules.refusal(of: parserError)
                refuse(LastAnswer(error: error, wasPassedOn: true, isToHead: broken.isHead), context)
            }
        } else {
            refuse(LastAnswer(error: RequestRules.refusal(of: parserError)), context)
        }
        // Handlers that wait for more of the request must not wait for ever. Their responses are dropped.
        context.fireErrorCaught(error)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !state.isOver, let exchange = exchanges.first else { return drop(promise) }
        switch unwrapOutboundIn(data) {
        case .head(let head) where (100..<200).contains(head.status.code):
            guard exchange.request == .awaitingContinue else { return drop(promise) }
            exchanges[0].request = .arriving
            context.write(data, promise: promise)
        case .head(var head):
            // It is not known whether a client that got no `100 Continue` will send the body.
            let wantsEnd = head.headers[canonicalForm: "Connection"].contains { $0.lowercased() == "close" }
            if exchange.request == .awaitingContinue || wantsEnd { exchanges[0].isKeptAlive = false }
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
                if exchanges.isEmpty, case .lastAnswerDue(let answer) = state { send(answer, context) }
            }
        }
    }

    private func drop(_ promise: EventLoopPromise<Void>?) { promise?.fail(ChannelError.ioOnClosedChannel) }

    private func refuse(_ answer: LastAnswer, _ context: ChannelHandlerContext) {
        guard exchanges.isEmpty else {
            state = .lastAnswerDue(answer)
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
        guard !answer.wasPassedOn else { return }
        let path = answer.head.map { head in String(head.uri.prefix { $0 != "?" }) }
        noteRefusal(
            RejectedRequest(
                requestID: requestID, method: answer.head?.method.rawValue, path: path, status: error.status,
                length: answer.isToHead ? 0 : body.count))
    }

    /// A promise for the end of a response, which is kept when the system has all of the response.
    private func written(_ promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext) -> EventLoopPromise<Void> {
        unsent += 1
        let promise = promise ?? context.eventLoop.makePromise()
        let channel = context.channel
        promise.futureResult.assumeIsolated().whenComplete { _ in
            self.unsent -= 1
            if self.unsent == 0, case .ending = self.state { self.endOutput(channel) }
        }
        return promise
    }

    /// Ends the connection once the system has all of the last response.
    /// - Parameter last: the end of that response.
    private func end(_ context: ChannelHandlerContext, with last: NIOAny, _ sent: EventLoopPromise<Void>) {
        // Not earlier: a client that has ended its own side would lose what is not written yet.
        state = .ending
        exchanges = []
        context.writeAndFlush(last, promise: sent)
    }

    private func endOutput(_ channel: any Channel) {
        state = .ended
        channel.close(mode: .output, promise: nil)
        channel.eventLoop.scheduleTask(in: Self.lingering) { channel.close(promise: nil) }
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is EndBehindAnswers else { return context.triggerUserOutboundEvent(event, promise: promise) }
        promise?.succeed()
        if state.isOver { return }
        if !exchanges.isEmpty {
            exchanges[exchanges.count - 1].isKeptAlive = false
        } else if unsent > 0 {
            state = .ending
        } else {
            context.close(promise: nil)
        }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .output, unsent > 0 else { return context.close(mode: mode, promise: promise) }
        // The server has nothing more to write, and the system does not have everything yet.
        promise?.succeed()
        state = .ending
    }
}
