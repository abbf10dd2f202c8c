import Glibc
import Logging
import NIOCore

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
