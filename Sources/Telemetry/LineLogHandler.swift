internal import FoundationEssentials
internal import Glibc
public import Logging

/// How log lines look.
public enum LogFormat: String, Sendable, CaseIterable {
    /// For people: `2026-09-01T10:00:00.123Z info relay image=… outcome=finished`.
    case text
    /// For collectors: one JSON object a line.
    case json
}

/// Writes each record as one line to standard error, in one write, so that lines of many threads don't mix.
public struct LineLogHandler: LogHandler {
    /// What every record of this logger carries.
    public var metadata: Logger.Metadata = [:]
    /// What is added to every record as it is made.
    public var metadataProvider: Logger.MetadataProvider?
    /// Records below this level are dropped.
    public var logLevel: Logger.Level
    private let label: String
    private let format: LogFormat

    /// - Parameter label: who logs.
    public init(label: String, level: Logger.Level, format: LogFormat) {
        self.label = label
        self.logLevel = level
        self.format = format
    }

    /// One value of the metadata.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one record.
    public func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
        if let own = event.metadata { all.merge(own) { _, new in new } }
        let time = Date.now.formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true))
        let line =
            switch format {
            case .text: Self.text(time, event.level, "\(event.message)", all)
            case .json: Self.json(time, event.level, label, "\(event.message)", all)
            }
        var bytes = Array(line.utf8)
        bytes.append(UInt8(ascii: "\n"))
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }

    private static func text(_ time: String, _ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata) -> String {
        var line = "\(time) \(level.rawValue) \(oneLine(message))"
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            let text = oneLine("\(value)")
            line += " \(key)=" + (text.contains(" ") && !text.hasPrefix("[") ? "\"\(text)\"" : text)
        }
        return line
    }

    /// A record is a line, whatever a client put into a name.
    private static func oneLine(_ text: String) -> String {
        String(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) })
    }

    private static func json(
        _ time: String, _ level: Logger.Level, _ label: String, _ message: String, _ metadata: Logger.Metadata
    ) -> String {
        let record = JSONLine(time: time, level: level.rawValue, logger: label, message: message, metadata: metadata)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(record) else { return message }
        return String(decoding: data, as: UTF8.self)
    }
}

private struct JSONLine: Encodable {
    let time: String
    let level: String
    let logger: String
    let message: String
    let metadata: Logger.Metadata

    private struct Key: CodingKey {
        let stringValue: String
        let intValue: Int? = nil
        init(_ text: String) { stringValue = text }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { return nil }
    }

    private struct Value: Encodable {
        let value: Logger.MetadataValue

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch value {
            case .string(let text): try container.encode(text)
            case .stringConvertible(let value): try container.encode("\(value)")
            case .array(let values): try container.encode(values.map(Value.init))
            case .dictionary(let values): try container.encode(values.mapValues(Value.init))
            }
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        for (key, value) in metadata { try container.encode(Value(value: value), forKey: Key(key)) }
        try container.encode(time, forKey: Key("time"))
        try container.encode(level, forKey: Key("level"))
        try container.encode(logger, forKey: Key("logger"))
        try container.encode(message, forKey: Key("message"))
    }
}
