import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Closes a connection whose client takes too long to send the head of a request, measured from its first byte. Before that
/// byte the idle timeout applies.
///
/// It sits in front of the decoder and sees bytes; `HeadWatch`, behind the decoder, reports what they were.
final class HeadTimeout: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let limit: TimeAmount
    /// Whether the time starts with the connection, so that it includes the TLS handshake.
    private let isHandshakeCounted: Bool
    /// Whether a request is being read or answered. Bytes that arrive meanwhile belong to its body or to a pipelined request.
    private var isBusy = false
    private var deadline: Scheduled<Void>?

    init(limit: TimeAmount, isHandshakeCounted: Bool) {
        self.limit = limit
        self.isHandshakeCounted = isHandshakeCounted
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if isHandshakeCounted { arm(context) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let wasBusy = isBusy
        context.fireChannelRead(data)
        // Most heads arrive in one read and need no timer.
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

/// Tells `HeadTimeout` where heads end and when all requests are answered.
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
