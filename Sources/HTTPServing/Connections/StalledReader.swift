import NIOCore

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
