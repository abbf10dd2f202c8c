import NIOCore
import RelayEngine

/// Ends what was begun for a client that is gone.
///
/// A client that has only closed its own side still reads: it gets its answer. One that is gone altogether shows at the first bytes
/// that are written to it.
final class ClientWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Any

    /// The download that runs on this connection, where one follows the other.
    private weak var relay: Relay?

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
