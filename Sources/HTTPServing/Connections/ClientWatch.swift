package import NIOCore

/// Ends what was begun for a client that is gone.
///
/// A client that has only closed its own side still reads: it gets its answer. One that is gone altogether shows at the first bytes
/// that are written to it.
package final class ClientWatch: ChannelInboundHandler, RemovableChannelHandler {
    package typealias InboundIn = Any

    /// What ends with the connection, where one answer follows the other.
    private var action: (@Sendable () -> Void)?

    package func channelInactive(context: ChannelHandlerContext) {
        action?()
        context.fireChannelInactive()
    }

    /// Has something done when the connection ends, or now if it has; from any thread. It takes the place of what was to be done
    /// before: a callback on the channel's end for each would stay as long as the connection does.
    package static func whenEnded(_ channel: any Channel, do action: @escaping @Sendable () -> Void) {
        channel.eventLoop.execute {
            guard channel.isActive, let watch = try? channel.pipeline.syncOperations.handler(type: ClientWatch.self) else {
                return action()
            }
            watch.action = action
        }
    }
}
