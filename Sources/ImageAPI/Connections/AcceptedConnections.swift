internal import NIOCore
internal import Synchronization

/// Stands in the listener's pipeline and remembers the connections that it accepted, so that each can be asked to end once its
/// requests are answered.
final class AcceptedConnections: ChannelInboundHandler, Sendable {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    private struct State {
        var listener: (any Channel)?
        var open: [ObjectIdentifier: any Channel] = [:]
        var isQuiescing = false
    }

    private let state = Mutex(State())

    func handlerAdded(context: ChannelHandlerContext) {
        let listener = context.channel
        state.withLock { $0.listener = listener }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let channel = unwrapInboundIn(data)
        let isQuiescing = state.withLock { state in
            state.open[ObjectIdentifier(channel)] = channel
            return state.isQuiescing
        }
        channel.closeFuture.whenComplete { [self] _ in
            state.withLock { _ = $0.open.removeValue(forKey: ObjectIdentifier(channel)) }
        }
        context.fireChannelRead(data)
        // Behind the set-up of the connection, which the line above put on its loop.
        if isQuiescing { Self.quiesce(channel) }
    }

    /// Ends each connection, those that are still accepted too, once its requests are answered. From any thread.
    func quiesce() {
        let open = state.withLock { state in
            state.isQuiescing = true
            return Array(state.open.values)
        }
        for channel in open { Self.quiesce(channel) }
    }

    /// Accepts no more connections, and lets go of none that was accepted. From any thread.
    func closeListener() {
        guard let listener = state.withLock({ $0.listener }) else { return }
        listener.setOption(ChannelOptions.autoRead, value: false).whenComplete { [self] _ in
            // A connection is set up on its own loop and then handed over on the listener's, which must be open until then.
            let settled = state.withLock { Array($0.open.values) }.map { $0.eventLoop.submit {} }
            EventLoopFuture.andAllComplete(settled, on: listener.eventLoop).whenComplete { _ in listener.close(promise: nil) }
        }
    }

    private static func quiesce(_ channel: any Channel) {
        channel.eventLoop.execute { channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
    }
}
