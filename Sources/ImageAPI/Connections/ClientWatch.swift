internal import NIOCore
internal import RelayEngine

/// Ends what was begun for a client that is gone.
///
/// Closes a connection whose client has closed its side: nobody waits for the rest of a response then. (Half-closed clients that
/// still read are a thing of the past; nginx treats them alike.)
final class ClientWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Any

    /// The download that runs on this connection, where one follows the other.
    private weak var relay: Relay?

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        relay?.clientGone()
        context.fireChannelInactive()
    }

    /// Tells a relay when the connection ends, or that it has; from any thread. It takes the place of the one before: a callback
    /// on the channel's end for each would stay as long as the connection does.
    static func tell(_ relay: Relay, ofTheEndOf channel: any Channel) {
        channel.eventLoop.execute {
            guard channel.isActive, let watch = try? channel.pipeline.syncOperations.handler(type: ClientWatch.self) else {
                return relay.clientGone()
            }
            watch.relay = relay
        }
    }
}
