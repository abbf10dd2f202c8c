/// The media types that a client accepts, with its preferences (RFC 9110 section 12.5.1).
///
/// Parameters other than the weight are ignored, and so are malformed entries: clients send both.
package struct AcceptHeader: Sendable, Equatable {
    private struct Entry: Equatable {
        /// In lower case.
        let type: String
        /// In thousandths, from 0 to 1000.
        let weight: Int
    }

    private var entries: [Entry] = []
    /// Whether there is no field, which accepts everything.
    private let isAbsent: Bool

    /// - Parameter field: the value of the field; nil without one.
    package init(_ field: String?) {
        isAbsent = field == nil
        for item in Self.parts(of: field ?? "", at: ",") {
            let parts = Self.parts(of: item, at: ";")
            let type = (parts.first ?? "").lowercased()
            guard type.split(separator: "/", omittingEmptySubsequences: false).count == 2 else { continue }
            let weight = parts.dropFirst().first { $0.lowercased().hasPrefix("q=") }
            guard let value = weight.map({ Self.thousandths($0.dropFirst(2)) }) ?? 1000 else { continue }
            entries.append(Entry(type: type, weight: value))
        }
    }

    /// The client's weight for a type, from 0 (not acceptable) to 1000. The most specific entry decides.
    /// - Parameter type: a media type in lower case, without parameters.
    package func weight(of type: String) -> Int {
        if isAbsent { return 1000 }
        let family = "\(type.prefix { $0 != "/" })/*"
        for range in [type, family, "*/*"] {
            if let weight = entries.filter({ $0.type == range }).map(\.weight).max() { return weight }
        }
        return 0
    }

    /// Whether the client weighs `type` higher than `other`; equal weights are no preference.
    package func prefers(_ type: String, to other: String) -> Bool { weight(of: type) > weight(of: other) }

    /// A weight in the RFC's syntax: at most 1, with at most three decimals; nil for anything else.
    private static func thousandths(_ text: Substring) -> Int? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let decimals = parts.count == 2 ? parts[1] : ""
        guard parts.first == "0" || parts.first == "1", decimals.utf8.count <= 3,
            decimals.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let value = Int("\(parts[0])\(decimals)" + String(repeating: "0", count: 3 - decimals.utf8.count))
        else { return nil }
        return value <= 1000 ? value : nil
    }

    /// The parts of a list, trimmed, without empty ones. A separator inside a quoted string does not split.
    private static func parts(of text: some StringProtocol, at separator: Character) -> [Substring] {
        var parts: [Substring] = []
        var rest = Substring(text)
        while !rest.isEmpty {
            var isQuoted = false
            var isEscaped = false
            let part = rest.prefix { character in
                if isEscaped {
                    isEscaped = false
                } else if isQuoted, character == "\\" {
                    isEscaped = true
                } else if character == "\"" {
                    isQuoted.toggle()
                }
                return isQuoted || character != separator
            }
            rest = rest[part.endIndex...].dropFirst()
            let blanks: Set<Character> = [" ", "\t"]
            var trimmed = part.drop { blanks.contains($0) }
            while let last = trimmed.last, blanks.contains(last) { trimmed.removeLast() }
            if !trimmed.isEmpty { parts.append(trimmed) }
        }
        return parts
    }
}
