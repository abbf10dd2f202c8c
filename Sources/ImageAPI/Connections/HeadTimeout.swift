internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes

/// Closes a connection whose client takes too long over the head of a request, from its first byte on (with TLS: from the first of
/// the handshake). Without one byte the idle timeout counts.
///
/// It stands first in the pipeline and sees bytes; `HeadWatch`, behind the decoder, tells it what they were.
final class HeadTimeout: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let limit: TimeAmount
    private var awaitsHead = true
    private var deadline: Scheduled<Void>?

    init(limit: TimeAmount) { self.limit = limit }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let awaitedHead = awaitsHead
        context.fireChannelRead(data)
        // Most heads come in one piece, and need no timer.
        guard awaitedHead, awaitsHead, deadline == nil, context.channel.isActive else { return }
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
    }

    func headCame() {
        awaitsHead = false
        deadline?.cancel()
        deadline = nil
    }

    func requestEnded() { awaitsHead = true }

    func channelInactive(context: ChannelHandlerContext) {
        headCame()
        context.fireChannelInactive()
    }
}

/// Tells `HeadTimeout` when a head is whole and when a request is over.
final class HeadWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart

    private var timeout: HeadTimeout?

    func handlerAdded(context: ChannelHandlerContext) {
        timeout = try? context.pipeline.syncOperations.handler(type: HeadTimeout.self)
    }

    func handlerRemoved(context: ChannelHandlerContext) { timeout = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: timeout?.headCame()
        case .body: break
        case .end: timeout?.requestEnded()
        }
        context.fireChannelRead(data)
    }
}
