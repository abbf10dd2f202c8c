internal import NIOCore

/// Closes a connection whose client has closed its side: nobody waits for the rest of a response then, and the transfer behind
/// it can end at once. (Half-closed clients that still read are a thing of the past; nginx treats them alike.)
final class ClientWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Any

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
}
