import NIOCore
import NIOHTTPTypes

/// Has the connection end behind its answers when the server drains. One that has not had a request yet waits for its first: the client
/// has just connected, and its request may be on the way.
final class FirstRequestGrace: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart

    private enum State {
        case new, quiescing, used
    }

    private let limit: TimeAmount
    private var state = State.new

    /// - Parameter limit: how long to wait for the first request's head.
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
