internal import NIOCore
internal import NIOHTTPTypes

/// Lets a connection that has not had a request yet wait for its first one although the server drains: the client connected in good
/// faith, and its request may be on the way.
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
        // After the head, so that the connection is seen to be busy and ends with its answer.
        if isQuiescing { context.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ChannelShouldQuiesceEvent, state != .used else { return context.fireUserInboundEventTriggered(event) }
        guard state == .new else { return }
        state = .quiescing
        let channel = context.channel
        context.eventLoop.assumeIsolated().scheduleTask(in: limit) {
            if self.state == .quiescing { channel.close(promise: nil) }
        }
    }
}
