import Glibc
import Logging
import NIOCore
import NIOHTTPTypes

/// Pauses accepting for 500 ms when the system has no file descriptor for another connection. Without the pause the listener
/// would be ready all the time and the event loop would spin. Must be the first handler of the listener's pipeline.
///
/// `server.max_connections` reserves descriptors for other uses, so this happens only when something else consumes them.
final class AcceptPause: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    private static let pause: TimeAmount = .milliseconds(500)
    /// The minimum time between two log lines.
    private static let reportInterval: TimeAmount = .seconds(60)

    private let logger: Logger
    private var isPaused = false
    private var nextReport = NIODeadline.distantPast

    init(logger: Logger) { self.logger = logger }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The error is not passed on: the listener's async reader ends on any error. A fatal error closes the listener anyway.
        guard let error = error as? IOError, [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.errnoCode) else {
            return logger.debug(
                "connections.accept_failed: A connection could not be accepted.", metadata: ["error": "\(error)"])
        }
        report(error)
        pause(context)
    }

    private func pause(_ context: ChannelHandlerContext) {
        guard !isPaused else { return }
        isPaused = true
        let channel = context.channel
        channel.setOption(.autoRead, value: false).assumeIsolated().whenComplete { _ in
            channel.eventLoop.assumeIsolated().scheduleTask(in: Self.pause) {
                self.isPaused = false
                channel.setOption(.autoRead, value: true).whenFailure { _ in }
            }
        }
    }

    private func report(_ error: IOError) {
        guard NIODeadline.now() >= nextReport else { return }
        nextReport = .now() + Self.reportInterval
        logger.error(
            "connections.no_descriptors: No more connections can be accepted. Raise the limit of open files (LimitNOFILE, ulimit -n).",
            metadata: ["error": "\(error)"])
    }
}

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
