package import NIOCore

/// Closes a connection whose client takes nothing of what is written to it for too long, whatever the answer.
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
        // The handler lives on this loop, and so does the callback.
        promise.futureResult.assumeIsolated().whenComplete { _ in
            self.pending -= 1
            self.lastProgress = .now()
        }
        watch(context.channel)
        context.write(data, promise: promise)
    }

    /// One timer at a time, which looks again when there was progress.
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
