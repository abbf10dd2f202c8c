extension Unicode.Scalar {
    /// Whether a terminal interprets the character instead of showing it, or shows nothing: control characters, characters that
    /// change the direction of text, line and paragraph separators. The joiners of Persian and of emoji are text.
    package var isUnprintable: Bool {
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate: true
        case .format: self != "\u{200C}" && self != "\u{200D}"
        default: false
        }
    }
}

extension String {
    /// The text for a terminal, with unprintable characters escaped as `\u{1B}`.
    package var plain: String { escaped { $0.isUnprintable } }

    /// A variant of `plain` that keeps line feeds.
    package var plainLines: String { escaped { $0.isUnprintable && $0 != "\n" } }

    /// A variant of `plain` for JSON text, with JSON's own escapes. Whitespace is kept.
    package var plainJSON: String {
        replacing(where: { $0.isUnprintable && $0 != "\n" && $0 != "\r" && $0 != "\t" }) { scalar in
            String(scalar).utf16.map { unit in
                let digits = String(unit, radix: 16)
                return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }.joined()
        }
    }

    private func escaped(_ isEscaped: (Unicode.Scalar) -> Bool) -> String {
        replacing(where: isEscaped) { scalar in
            switch scalar {
            case "\n": "\\n"
            case "\r": "\\r"
            case "\t": "\\t"
            default: "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
            }
        }
    }

    private func replacing(
        where isReplaced: (Unicode.Scalar) -> Bool, by replacement: (Unicode.Scalar) -> String
    ) -> String {
        guard unicodeScalars.contains(where: isReplaced) else { return self }
        var result = ""
        for scalar in unicodeScalars {
            if isReplaced(scalar) { result += replacement(scalar) } else { result.unicodeScalars.append(scalar) }
        }
        return result
    }
}
