package import Logging

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
