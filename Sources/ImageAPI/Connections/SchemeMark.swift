internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes

/// Notes in every request that it came over TLS, so that the links in answers lead back the same way.
final class SchemeMark: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
        head.scheme = "https"
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }
}
