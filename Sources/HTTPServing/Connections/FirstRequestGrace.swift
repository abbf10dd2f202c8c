import NIOCore
import NIOHTTPTypes

/// Ends a connection after its pending responses when the server drains. A connection without a request so far waits for its
/// first one: the client has just connected, and its request may be on the way.
final class FirstRequestGrace: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart

    private enum State {
        case new, quiescing, used
    }

    private let limit: TimeAmount
    private var state = State.new

    /// - Parameter limit: how long to wait for the head of the first request.
    init(limit: TimeAmount = .seconds(5)) { self.limit = limit }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let isQuiescing = state == .quiescing
        state = .used
        context.fireChannelRead(data)
        if isQuiescing { end(context) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ChannelShouldQuiesceEvent else { return context.fireUserInboundEventTriggered(event) }
        switch state {
        case .used: end(context)
        case .quiescing: break
        case .new:
            state = .quiescing
            let channel = context.channel
            context.eventLoop.assumeIsolated().scheduleTask(in: limit) {
                if self.state == .quiescing { channel.close(promise: nil) }
            }
        }
    }

    private func end(_ context: ChannelHandlerContext) {
        context.triggerUserOutboundEvent(RequestGate.EndBehindAnswers(), promise: nil)
    }
}
