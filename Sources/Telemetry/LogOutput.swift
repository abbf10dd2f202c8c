internal import Glibc
public import Logging
internal import Synchronization

/// Where log lines go, and which of them.
public final class LogOutput: Sendable {
    /// So much waits while nobody reads: some thousand lines.
    private static let queueLimit = 2 << 20

    private let currentLevel: Mutex<Logger.Level>
    private let format: LogFormat
    private let queue: LogQueue

    /// - Parameters:
    ///   - level: records below are dropped.
    ///   - descriptor: where lines are written: standard error, but for tests.
    public init(level: Logger.Level, format: LogFormat, descriptor: Int32 = 2) {
        currentLevel = Mutex(level)
        self.format = format
        queue = LogQueue(descriptor: descriptor, limit: Self.queueLimit) { count in
            LogLine(
                time: Self.now, level: .warning, logger: "baton",
                message: "Log lines were dropped: the reader of the log did not keep up.",
                metadata: ["lines": .stringConvertible(count)]
            ).bytes(format)
        }
    }

    /// Records below are dropped.
    public var level: Logger.Level {
        get { currentLevel.withLock { $0 } }
        set { currentLevel.withLock { $0 = newValue } }
    }

    /// How many lines were dropped since the start because nobody read them.
    public var droppedLines: Int { queue.dropped }

    /// Waits until all lines are written, but not longer than `limit`.
    public func flush(within limit: Duration) { queue.flush(within: limit) }

    /// Writes a record when its turn comes; never waits.
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
