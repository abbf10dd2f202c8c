import Glibc
import Logging
import NIOCore

/// Stops accepting for a moment when no descriptor is left for another connection: the listener would be ready all the time, and the loop
/// would spin. It stands first in the listener's pipeline.
///
/// `server.max_connections` keeps descriptors free for all else, so this is for what else may take them.
final class AcceptPause: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    private static let pause: TimeAmount = .milliseconds(500)
    /// How long the log says no more of it.
    private static let reportInterval: TimeAmount = .seconds(60)

    private let logger: Logger
    private var isPaused = false
    private var nextReport = NIODeadline.distantPast

    init(logger: Logger) { self.logger = logger }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Not passed on: to the listener's reader an error is the end. One that does end the listener closes it.
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
