import NIOCore
import Synchronization

/// The connections that the listener accepted, so that each can be asked to end once its requests are answered, and so that the
/// listener closes only after the last of them was handed to the server. It stands in the listener's pipeline.
final class AcceptedConnections: ChannelInboundHandler, Sendable {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    private struct State {
        var listener: (any Channel)?
        var open: [ObjectIdentifier: any Channel] = [:]
        /// Those of them that are still being set up, or wait for the server to take them.
        var waiting: Set<ObjectIdentifier> = []
        var isQuiescing = false
        var isClosing = false

        /// The listener, if it is to close and nothing needs it any more.
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
            taken(id)
        }
        context.fireChannelRead(data)
        // Behind the set-up of the connection, which the line above put on its loop.
        if isQuiescing { Self.quiesce(channel) }
    }

    /// The server has the connection: it no longer needs the listener. From any thread.
    func handedOver(_ channel: any Channel) { taken(ObjectIdentifier(channel)) }

    private func taken(_ id: ObjectIdentifier) {
        let listener = state.withLock { state in
            state.waiting.remove(id)
            return state.takeListenerToClose()
        }
        listener?.close(promise: nil)
    }

    /// Ends each connection, those that are still accepted too, once its requests are answered. From any thread.
    func quiesce() {
        let open = state.withLock { state in
            state.isQuiescing = true
            return Array(state.open.values)
        }
        for channel in open { Self.quiesce(channel) }
    }

    /// Accepts no more connections, and closes the listener when the server has taken every one that was accepted: a listener that
    /// closes resets those that it has not passed on. From any thread.
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
