import NIOCore
import Synchronization

/// The connections that the listener accepted. Ends each one after its pending responses, and closes the listener only after
/// the server has taken the last of them. Belongs to the listener's pipeline.
final class AcceptedConnections: ChannelInboundHandler, Sendable {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    private struct State {
        var listener: (any Channel)?
        var open: [ObjectIdentifier: any Channel] = [:]
        /// The connections that are being set up or that the server has not taken yet.
        var waiting: Set<ObjectIdentifier> = []
        var isQuiescing = false
        var isClosing = false

        /// The listener, if it is to close and no connection needs it any more.
        mutating func takeListenerToClose() -> (any Channel)? {
            guard isClosing, waiting.isEmpty else { return nil }
            defer { listener = nil }
            return listener
        }
    }

    private let state = Mutex(State())

    func handlerAdded(context: ChannelHandlerContext) {
        let listener = context.channel
        state.withLock { $0.listener = listener }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let channel = unwrapInboundIn(data)
        let id = ObjectIdentifier(channel)
        let isQuiescing = state.withLock { state in
            state.open[id] = channel
            state.waiting.insert(id)
            return state.isQuiescing
        }
        channel.closeFuture.whenComplete { [self] _ in
            state.withLock { _ = $0.open.removeValue(forKey: id) }
            stopWaiting(for: id)
        }
        context.fireChannelRead(data)
        // Runs after the connection's set-up, which the previous line scheduled on its loop.
        if isQuiescing { Self.quiesce(channel) }
    }

    /// Records that the server has taken a connection, which no longer needs the listener. Thread-safe.
    func handedOver(_ channel: any Channel) { stopWaiting(for: ObjectIdentifier(channel)) }

    private func stopWaiting(for id: ObjectIdentifier) {
        let listener = state.withLock { state in
            state.waiting.remove(id)
            return state.takeListenerToClose()
        }
        listener?.close(promise: nil)
    }

    /// Ends every connection after its pending responses, including connections that are accepted later. Thread-safe.
    func quiesce() {
        let open = state.withLock { state in
            state.isQuiescing = true
            return Array(state.open.values)
        }
        for channel in open { Self.quiesce(channel) }
    }

    /// Stops accepting, and closes the listener once the server has taken every accepted connection. A listener that closes
    /// earlier resets the connections that it has not passed on. Thread-safe.
    func closeListener() {
        guard let listener = state.withLock({ $0.listener }) else { return }
        listener.setOption(ChannelOptions.autoRead, value: false).whenComplete { [self] _ in
            let listener = state.withLock { state in
                state.isClosing = true
                return state.takeListenerToClose()
            }
            listener?.close(promise: nil)
        }
    }

    private static func quiesce(_ channel: any Channel) {
        channel.eventLoop.execute { channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
    }
}
