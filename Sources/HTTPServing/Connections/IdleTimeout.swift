import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Closes a connection that is idle for too long, between requests or in the middle of a request's body. No time counts while a
/// response is produced or sent. A response is sent when the system has accepted all of it.
final class IdleTimeout: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limit: TimeAmount
    /// The number of requests whose responses are not sent yet.
    private var unanswered = 0
    /// Whether a request has arrived in part.
    private var isReading = false
    private var lastActive = NIODeadline.now()
    private var timer: Scheduled<Void>?

    init(limit: TimeAmount) { self.limit = limit }

    func handlerAdded(context: ChannelHandlerContext) { watch(context.channel, until: .now() + limit) }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastActive = .now()
        switch unwrapInboundIn(data) {
        case .head:
            unanswered += 1
            isReading = true
        case .body: break
        case .end: isReading = false
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .end = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
        let promise = promise ?? context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in
            self.unanswered -= 1
            self.lastActive = .now()
        }
        context.write(data, promise: promise)
    }

    /// Keeps a single timer, which is rescheduled if there was activity.
    private func watch(_ channel: any Channel, until deadline: NIODeadline) {
        timer = channel.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
            let isAnswering = self.unanswered > 0 && !self.isReading
            let next = (isAnswering ? .now() : self.lastActive) + self.limit
            if next > .now() { self.watch(channel, until: next) } else { channel.close(promise: nil) }
        }
    }
}
