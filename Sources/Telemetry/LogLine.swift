import Glibc
import Logging

/// A log record, formatted as exactly one line even if clients' names contain line breaks.
struct LogLine {
    /// The JSON names of a record's own parts. Metadata with such a name is left out.
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

    /// The record as text with its metadata in logfmt: `2026-09-01T10:00:00.123Z info download.finished outcome=finished`.
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

    /// Splits one of Baton's own messages, e.g. `relay.failover: A download continues …` or `download.finished`, into the
    /// event's stable name and the text. Messages of libraries have no event.
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

    /// A metadata value as text; the items of lists and dictionaries are separated by commas.
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

    /// A time in the format of RFC 3339, in UTC, with milliseconds.
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

/// Escapes text for log lines, so that it can't end a line, move a terminal's cursor or change the direction of writing.
enum LogText {
    private static let hexadecimal = Array("0123456789abcdef".unicodeScalars)

    /// Whether a character is escaped: control characters, line and paragraph separators, direction marks and invisible
    /// characters.
    private static func isEscaped(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: true
        default: false
        }
    }

    private static func append(_ scalar: Unicode.Scalar, to text: inout String.UnicodeScalarView, quotes: Bool) {
        switch scalar {
        case "\"" where quotes, "\\" where quotes:
            text.append("\\")
            text.append(scalar)
        case "\n": text.append(contentsOf: "\\n".unicodeScalars)
        case "\r": text.append(contentsOf: "\\r".unicodeScalars)
        case "\t": text.append(contentsOf: "\\t".unicodeScalars)
        case " "..."~": text.append(scalar)
        default:
            guard isEscaped(scalar) else { return text.append(scalar) }
            // Escaped as in JSON: two UTF-16 units for characters outside the Basic Multilingual Plane.
            for unit in String(scalar).utf16 {
                text.append(contentsOf: "\\u".unicodeScalars)
                for shift in [12, 8, 4, 0] { text.append(hexadecimal[Int(unit >> UInt16(shift)) & 0xF]) }
            }
        }
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = "".unicodeScalars
        for scalar in text.unicodeScalars { append(scalar, to: &result, quotes: quotes) }
        return String(result)
    }

    /// A message on one line.
    static func escaped(_ text: String) -> String { escaped(text, quotes: false) }

    /// Text in quotation marks, for JSON and logfmt.
    static func quoted(_ text: String) -> String { "\"\(escaped(text, quotes: true))\"" }

    /// A field's value in logfmt, quoted unless it is one word.
    static func value(_ text: String) -> String {
        let isWord =
            !text.isEmpty
            && text.unicodeScalars.allSatisfy {
                $0 > " " && $0 != "=" && $0 != "\"" && $0 != "\\" && $0 != "\u{7F}" && !isEscaped($0)
            }
        return isWord ? text : quoted(text)
    }

    /// A field's name in logfmt, where names can't be quoted.
    static func key(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0 > " " && $0 < "\u{7F}" && $0 != "=" && $0 != "\"" ? $0 : "_" }))
    }
}
