package import NIOCore

/// Closes a connection whose client reads nothing of the written bytes for too long.
final class StalledReader: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    private let limit: TimeAmount
    private var pending = 0
    private var lastProgress = NIODeadline.now()
    private var isWatching = false

    init(limit: TimeAmount) { self.limit = limit }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let promise = promise ?? context.eventLoop.makePromise(of: Void.self)
        if pending == 0 { lastProgress = .now() }
        pending += 1
        // The handler and the callback run on the same event loop.
        promise.futureResult.assumeIsolated().whenComplete { _ in
            self.pending -= 1
            self.lastProgress = .now()
        }
        watch(context.channel)
        context.write(data, promise: promise)
    }

    /// Keeps a single timer, which is rescheduled if there was progress.
    private func watch(_ channel: any Channel) {
        guard !isWatching else { return }
        isWatching = true
        channel.eventLoop.assumeIsolated().scheduleTask(deadline: lastProgress + limit) {
            self.isWatching = false
            guard self.pending > 0, channel.isActive else { return }
            if NIODeadline.now() - self.lastProgress >= self.limit {
                channel.close(promise: nil)
            } else {
                self.watch(channel)
            }
        }
    }
}

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
