import Glibc
import Logging

/// One record formatted as one line, whatever text clients put into names.
struct LogLine {
    /// Names that a record's own parts have in JSON.
    private static let ownNames: Set<String> = ["time", "level", "logger", "event", "message"]

    let time: timespec
    let level: Logger.Level
    let logger: String
    let message: String
    let metadata: Logger.Metadata

    /// The line, including its line end.
    func bytes(_ format: LogFormat) -> [UInt8] {
        var line: String
        switch format {
        case .text: line = text
        case .json: line = json
        }
        line += "\n"
        return Array(line.utf8)
    }

    /// `2026-09-01T10:00:00.123Z info download.finished outcome=finished`, the fields as logfmt has them.
    private var text: String {
        var line = "\(Self.timestamp(time)) \(level.rawValue) \(LogText.escaped(message))"
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            line += " \(LogText.key(key))=\(LogText.value(Self.plain(value)))"
        }
        return line
    }

    private var json: String {
        var line = "{\"time\":\"\(Self.timestamp(time))\",\"level\":\"\(level.rawValue)\","
        line += "\"logger\":\(LogText.quoted(logger)),"
        let (event, text) = Self.event(of: message)
        if let event { line += "\"event\":\"\(event)\"," }
        line += "\"message\":\(LogText.quoted(text))"
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) where !Self.ownNames.contains(key) {
            line += ",\(LogText.quoted(key)):\(Self.json(value))"
        }
        return line + "}"
    }

    /// Splits a message of Baton's own, `relay.failover: A download continues …` or `download.finished`, into the event's stable name
    /// and the text. Messages of libraries have no event.
    static func event(of message: String) -> (event: String?, text: String) {
        let end = message.firstRange(of: ": ")
        let name = message[..<(end?.lowerBound ?? message.endIndex)]
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        let isName =
            parts.count > 1
            && parts.allSatisfy { part in
                !part.isEmpty
                    && part.utf8.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || $0 == UInt8(ascii: "_") }
            }
        guard isName else { return (nil, message) }
        return (String(name), end.map { String(message[$0.upperBound...]) } ?? String(name))
    }

    /// Lists as their items with commas between.
    private static func plain(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let text): text
        case .stringConvertible(let value): "\(value)"
        case .array(let items): items.map(plain).joined(separator: ", ")
        case .dictionary(let items):
            items.sorted { $0.key < $1.key }.map { "\($0.key)=\(plain($0.value))" }.joined(separator: ", ")
        }
    }

    private static func json(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let text): LogText.quoted(text)
        case .stringConvertible(let value): number(value) ?? LogText.quoted("\(value)")
        case .array(let items): "[\(items.map(json).joined(separator: ","))]"
        case .dictionary(let items):
            "{\(items.sorted { $0.key < $1.key }.map { "\(LogText.quoted($0.key)):\(json($0.value))" }.joined(separator: ","))}"
        }
    }

    /// A number or a boolean as JSON; nil for anything else.
    private static func number(_ value: any CustomStringConvertible) -> String? {
        switch value {
        case let value as Bool: value ? "true" : "false"
        case let value as any BinaryInteger: "\(value)"
        case let value as Double: value.isFinite ? "\(value)" : nil
        case let value as Float: value.isFinite ? "\(value)" : nil
        default: nil
        }
    }

    /// A time as in RFC 3339, in UTC, with milliseconds.
    static func timestamp(_ time: timespec) -> String {
        var (second, parts) = (time.tv_sec, tm())
        gmtime_r(&second, &parts)
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let date =
            "\(padded(1900 + Int(parts.tm_year), 4))-\(padded(Int(parts.tm_mon) + 1, 2))-\(padded(Int(parts.tm_mday), 2))"
        let clock = "\(padded(Int(parts.tm_hour), 2)):\(padded(Int(parts.tm_min), 2)):\(padded(Int(parts.tm_sec), 2))"
        return "\(date)T\(clock).\(padded(time.tv_nsec / 1_000_000, 3))Z"
    }
}
