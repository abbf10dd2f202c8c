extension Unicode.Scalar {
    /// Whether a terminal acts on the character instead of showing it, or nobody sees it: control characters, what changes the
    /// direction of text, separators of lines and paragraphs. The joiners of Persian and of emoji are text.
    package var isUnprintable: Bool {
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate: true
        case .format: self != "\u{200C}" && self != "\u{200D}"
        default: false
        }
    }
}

extension String {
    /// The text for a terminal: what must not reach one is shown as an escape, `\u{1B}`.
    package var plain: String { escaped { $0.isUnprintable } }

    /// The same for texts of several lines, whose ends are kept.
    package var plainLines: String { escaped { $0.isUnprintable && $0 != "\n" } }

    /// The same for a text of JSON, in JSON's own escapes. Its blanks are kept.
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
