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
