/// A request to an origin.
package struct OriginRequest: Sendable {
    /// 0 for the first request to this origin, then 1, 2…
    package let index: Int
    /// The number of the origin's connection that it came on, from 0.
    package let connection: Int
    /// `GET`, `HEAD`…
    package let method: String
    /// The target, as sent.
    package let path: String
    /// The header fields, names in lower case.
    package let headers: [(name: String, value: String)]

    /// The value of a field, by its name in lower case.
    package subscript(name: String) -> String? { headers.first { $0.name == name }?.value }

    /// The first byte asked for, and the last if given; nil without a Range.
    package var range: (first: Int64, last: Int64?)? {
        guard let text = self["range"], text.hasPrefix("bytes=") else { return nil }
        let parts = text.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let first = Int64(parts[0]) else { return nil }
        return (first, Int64(parts[1]))
    }

    /// Whether it is a probe: Baton asks for the first byte alone before it uses a location.
    package var isProbe: Bool { range.map { $0.first == 0 && $0.last == 0 } ?? false }

    init?(head: String, index: Int, connection: Int) {
        let lines = head.split(separator: "\r\n", omittingEmptySubsequences: false)
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count == 3 else { return nil }
        self.index = index
        self.connection = connection
        method = String(words[0])
        path = String(words[1])
        headers = lines.dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            return (line[..<colon].lowercased(), String(value))
        }
    }
}

/// How many responses an origin was sending at a time.
package struct AnswerCount: Sendable {
    /// Now.
    public private(set) var running = 0
    /// The maximum so far.
    public private(set) var most = 0

    mutating func begin() {
        running += 1
        most = max(most, running)
    }

    mutating func end() { running -= 1 }
}
