package import Logging

/// How log lines look.
package enum LogFormat: String, Sendable, CaseIterable {
    /// For people: `2026-09-01T10:00:00.123Z info download.finished image=… outcome=finished`.
    case text
    /// For collectors: one JSON object a line.
    case json
}

/// Makes each record one line, and leaves it to an output that writes it.
package struct LineLogHandler: LogHandler {
    /// What every record of this logger carries.
    package var metadata: Logger.Metadata = [:]
    /// What is added to every record as it is made.
    package var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let output: LogOutput
    /// For this logger alone.
    private var ownLevel: Logger.Level?

    /// - Parameters:
    ///   - label: who logs.
    ///   - output: where lines go, and which.
    package init(label: String, output: LogOutput) {
        self.label = label
        self.output = output
    }

    /// Records below this level are dropped.
    package var logLevel: Logger.Level {
        get { ownLevel ?? output.level }
        set { ownLevel = newValue }
    }

    /// One value of the metadata.
    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one record.
    package func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
        if let own = event.metadata { all.merge(own) { _, new in new } }
        output.write(event.level, label, "\(event.message)", all)
    }
}
