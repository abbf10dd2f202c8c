import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Closes a connection whose client takes too long over the head of a request, from its first byte on. Without one byte the idle
/// timeout counts.
///
/// It stands before the decoder and sees bytes; `HeadWatch`, behind the decoder, tells it what they were.
final class HeadTimeout: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let limit: TimeAmount
    /// Whether the time runs from the beginning of the connection: the handshake of TLS is part of it then.
    private let countsHandshake: Bool
    /// Whether a request is read or answered; what comes meanwhile is its body, or somebody's who is ahead.
    private var isBusy = false
    private var deadline: Scheduled<Void>?

    init(limit: TimeAmount, countsHandshake: Bool) {
        self.limit = limit
        self.countsHandshake = countsHandshake
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if countsHandshake { arm(context) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let wasBusy = isBusy
        context.fireChannelRead(data)
        // Most heads come in one piece, and need no timer.
        if !wasBusy, !isBusy, context.channel.isActive { arm(context) }
    }

    func headCame() {
        isBusy = true
        disarm()
    }

    func allIsAnswered() { isBusy = false }

    func channelInactive(context: ChannelHandlerContext) {
        disarm()
        context.fireChannelInactive()
    }

    private func arm(_ context: ChannelHandlerContext) {
        guard deadline == nil else { return }
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
    }

    private func disarm() {
        deadline?.cancel()
        deadline = nil
    }
}

/// Tells `HeadTimeout`, which sees bytes, what they were: where heads end, and when all requests are answered.
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
