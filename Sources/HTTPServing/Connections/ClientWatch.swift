package import NIOCore

/// Cancels the work for a client whose connection has closed.
///
/// A client that has closed only its own side still reads and gets its response. A client that is gone altogether is noticed at
/// the first bytes that are written to it.
package final class ClientWatch: ChannelInboundHandler, RemovableChannelHandler {
    package typealias InboundIn = Any

    /// The action for the current response; responses on a connection follow each other.
    private var action: (@Sendable () -> Void)?

    package func channelInactive(context: ChannelHandlerContext) {
        action?()
        context.fireChannelInactive()
    }

    /// Runs an action when the connection closes, or at once if it has closed. Thread-safe. The action replaces the previous
    /// one; a callback on the channel's close future would stay for the life of the connection.
    package static func whenEnded(_ channel: any Channel, do action: @escaping @Sendable () -> Void) {
        channel.eventLoop.execute {
            guard channel.isActive, let watch = try? channel.pipeline.syncOperations.handler(type: ClientWatch.self) else {
                return action()
            }
            watch.action = action
        }
    }
}
