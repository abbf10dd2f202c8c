import Glibc
package import Logging
import Synchronization

/// The destination of log lines, and the lowest level that is logged.
package final class LogOutput: Sendable {
    /// The maximum size in bytes of the queue, some thousand lines, while nothing reads the log.
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

/// The format of log lines.
package enum LogFormat: String, Sendable, CaseIterable {
    /// For people: `2026-09-01T10:00:00.123Z info download.finished image=… outcome=finished`.
    case text
    /// One JSON object per line, for log collectors.
    case json
}

/// A log handler that formats each record as one line and passes it to an output.
package struct LineLogHandler: LogHandler {
    /// Metadata of every record of this logger.
    package var metadata: Logger.Metadata = [:]
    /// Provides metadata for each record when it is created.
    package var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let output: LogOutput
    /// This logger's own level; nil for the output's.
    private var ownLevel: Logger.Level?

    /// Creates a handler.
    /// - Parameters:
    ///   - label: the logger's name.
    ///   - output: the destination of the lines, which also sets the level.
    package init(label: String, output: LogOutput) {
        self.label = label
        self.output = output
    }

    /// The lowest level that is logged.
    package var logLevel: Logger.Level {
        get { ownLevel ?? output.level }
        set { ownLevel = newValue }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
        if let own = event.metadata { all.merge(own) { _, new in new } }
        output.write(event.level, label, "\(event.message)", all)
    }
}
