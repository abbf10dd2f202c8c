import Glibc
package import Logging
import Synchronization

/// The destination of log lines, and the lowest level that is logged.
package final class LogOutput: Sendable {
    /// The most bytes that wait while nothing reads the log: some thousand lines.
    private static let queueLimit = 2 << 20

    private let currentLevel: Mutex<Logger.Level>
    private let format: LogFormat
    private let queue: LogQueue

    /// Creates an output.
    /// - Parameters:
    ///   - level: the lowest level that is logged.
    ///   - descriptor: where lines are written: standard error, except in tests.
    package init(level: Logger.Level, format: LogFormat, descriptor: Int32 = 2) {
        currentLevel = Mutex(level)
        self.format = format
        queue = LogQueue(descriptor: descriptor, limit: Self.queueLimit) { count in
            LogLine(
                time: Self.now, level: .warning, logger: "baton",
                message: "log.lines_dropped: Log lines were dropped because the log's reader did not keep up.",
                metadata: ["lines": .stringConvertible(count)]
            ).bytes(format)
        }
    }

    /// The lowest level that is logged.
    package var level: Logger.Level {
        get { currentLevel.withLock { $0 } }
        set { currentLevel.withLock { $0 = newValue } }
    }

    /// The number of lines dropped since the start because nothing read the log.
    package var droppedLines: Int { queue.dropped }

    /// Waits until all lines are written, but not longer than `limit`.
    package func flush(within limit: Duration) { queue.flush(within: limit) }

    /// Enqueues a record; never blocks.
    func write(_ level: Logger.Level, _ logger: String, _ message: String, _ metadata: Logger.Metadata) {
        queue.append(
            LogLine(time: Self.now, level: level, logger: logger, message: message, metadata: metadata).bytes(format))
    }

    private static var now: timespec {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return time
    }
}
