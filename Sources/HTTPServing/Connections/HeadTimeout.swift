import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Closes a connection whose client takes too long to send the head of a request, from its first byte on. Before the first byte the
/// idle timeout applies.
///
/// It stands before the decoder and sees bytes; `HeadWatch`, behind the decoder, tells it where heads end.
final class HeadTimeout: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private enum State {
        /// No byte of a request has come. Goes to: readingHead, busy.
        case idle
        /// The head is being read, and the connection closes at its deadline. Goes to: busy, idle.
        case readingHead(Scheduled<Void>)
        /// A request is being read or answered. Bytes are its body, or belong to later requests. Goes to: idle.
        case busy

        var isBusy: Bool { if case .busy = self { true } else { false } }
    }

    private let limit: TimeAmount
    /// Whether the time runs from the beginning of the connection, so that it includes the handshake of TLS.
    private let isHandshakeCounted: Bool
    private var state = State.idle

    init(limit: TimeAmount, isHandshakeCounted: Bool) {
        self.limit = limit
        self.isHandshakeCounted = isHandshakeCounted
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if isHandshakeCounted { arm(context) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let wasBusy = state.isBusy
        context.fireChannelRead(data)
        // Most heads come in one piece, and need no timer.
        if !wasBusy, context.channel.isActive { arm(context) }
    }

    func headCame() {
        disarm()
        state = .busy
    }

    func allIsAnswered() {
        if case .busy = state { state = .idle }
    }

    func channelInactive(context: ChannelHandlerContext) {
        disarm()
        context.fireChannelInactive()
    }

    private func arm(_ context: ChannelHandlerContext) {
        guard case .idle = state else { return }
        let channel = context.channel
        state = .readingHead(context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) })
    }

    private func disarm() {
        guard case .readingHead(let deadline) = state else { return }
        deadline.cancel()
        state = .idle
    }
}

/// Tells `HeadTimeout`, which sees bytes, where heads end and when all requests are answered.
final class HeadWatch: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private var timeout: HeadTimeout?
    private var answersDue = 0

    func handlerAdded(context: ChannelHandlerContext) {
        timeout = try? context.pipeline.syncOperations.handler(type: HeadTimeout.self)
    }

    func handlerRemoved(context: ChannelHandlerContext) { timeout = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head = unwrapInboundIn(data) {
            answersDue += 1
            timeout?.headCame()
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            answersDue -= 1
            if answersDue <= 0 { timeout?.allIsAnswered() }
        }
        context.write(data, promise: promise)
    }
}
