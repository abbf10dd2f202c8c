/// The `Content-Range` of a 206 (RFC 9110 section 14.4), read strictly: both ends must be present, and the total size or `*`.
package struct ContentRange: Sendable, Hashable {
    /// The offset of the first byte that follows.
    package let first: Int64
    /// The offset of the last byte that follows.
    package let last: Int64
    /// The total size; nil if the server does not know it.
    package let total: Int64?

    /// Parses `bytes 0-99/1234` or `bytes 0-99/*`; nil for anything else.
    package init?(_ text: String) {
        let words = text.split(separator: " ", omittingEmptySubsequences: true)
        guard words.count == 2, words[0].lowercased() == "bytes" else { return nil }
        let halves = words[1].split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2 else { return nil }
        let ends = halves[0].split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = Self.number(ends[0]), let last = Self.number(ends[1]), first <= last,
            last < Int64.max
        else { return nil }
        if halves[1] == "*" {
            total = nil
        } else {
            guard let number = Self.number(halves[1]), last < number else { return nil }
            total = number
        }
        self.first = first
        self.last = last
    }

    /// Parses digits only: `Int64.init` also accepts signs.
    private static func number(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return Int64(text)
    }
}
