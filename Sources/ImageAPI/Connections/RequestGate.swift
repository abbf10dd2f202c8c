internal import DequeModule
internal import FoundationEssentials
internal import HTTPTypes
internal import NIOCore
internal import NIOHTTP1

/// Holds a connection to the rules of HTTP that need the message as it came: refuses what `RequestRules` refuses, answers what is no
/// HTTP, sends no body in answer to HEAD, and ends the connection where the version or `Connection` asks for it.
///
/// It stands right behind the decoder. What it answers itself is the connection's last answer.
final class RequestGate: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

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

    /// Told when the first request is let in, and when none is left to be answered.
    private let noteActivity: (_ isBusy: Bool) -> Void
    /// In the order in which they came; the first is being answered.
    private var exchanges: Deque<Exchange> = [] {
        didSet { if oldValue.isEmpty != exchanges.isEmpty { noteActivity(!exchanges.isEmpty) } }
    }
    /// The connection's last answer, which waits for those before it.
    private var refusal: (error: APIError, isHead: Bool)?
    /// Whether the last answer is out.
    private var isOver = false

    init(noteActivity: @escaping (_ isBusy: Bool) -> Void = { _ in }) { self.noteActivity = noteActivity }

    /// Whether what still comes is nobody's: behind the last request.
    private var ignoresInput: Bool {
        isOver || refusal != nil || (exchanges.last.map { $0.isComplete && !$0.keepsAlive } ?? false)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if ignoresInput { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            if let error = RequestRules.refusal(of: head) { return refuse(error, isHead: head.method == .HEAD, context) }
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
        if isOver || refusal != nil { return }  // the decoder's, about each piece that comes behind
        guard let parserError = error as? HTTPParserError else { return context.fireErrorCaught(error) }
        if let broken = exchanges.last, !broken.isComplete {
            if broken.isAnswering {
                exchanges[exchanges.count - 1].keepsAlive = false
            } else {
                exchanges.removeLast()
                refuse(RequestRules.refusal(of: parserError), isHead: broken.isHead, context)
            }
        } else {
            refuse(RequestRules.refusal(of: parserError), isHead: false, context)
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
            exchanges.removeFirst()
            context.write(data, promise: promise)
            if !exchange.keepsAlive {
                end(context)
            } else if exchanges.isEmpty, let refusal {
                answer(refusal.error, isHead: refusal.isHead, context)
            }
        }
    }

    private func drop(_ promise: EventLoopPromise<Void>?) { promise?.fail(ChannelError.ioOnClosedChannel) }

    private func refuse(_ error: APIError, isHead: Bool, _ context: ChannelHandlerContext) {
        guard exchanges.isEmpty else {
            refusal = (error, isHead)
            return
        }
        answer(error, isHead: isHead, context)
    }

    private func answer(_ error: APIError, isHead: Bool, _ context: ChannelHandlerContext) {
        let body = (try? error.document.written()) ?? Data()
        var fields: HTTPHeaders = [
            "Content-Type": "application/json", "Content-Length": "\(body.count)", "Connection": "close",
        ]
        for field in error.headers { fields.add(name: field.name.rawName, value: field.value) }
        let status = HTTPResponseStatus(statusCode: error.status.code, reasonPhrase: error.status.reasonPhrase)
        context.write(wrapOutboundOut(.head(.init(version: .http1_1, status: status, headers: fields))), promise: nil)
        if !isHead {
            context.write(wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(bytes: body)))), promise: nil)
        }
        context.write(wrapOutboundOut(.end(nil)), promise: nil)
        end(context)
    }

    /// Ends the connection behind the last answer.
    private func end(_ context: ChannelHandlerContext) {
        isOver = true
        exchanges = []
        context.flush()
        context.close(mode: .output, promise: nil)
        let channel = context.channel
        context.eventLoop.scheduleTask(in: Self.lingering) { channel.close(promise: nil) }
    }
}
