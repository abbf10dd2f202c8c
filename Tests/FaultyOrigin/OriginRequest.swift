/// A request that an origin received.
package struct OriginRequest: Sendable {
    /// The number of the request at this origin, from 0.
    package let index: Int
    /// The number of the connection at this origin, from 0.
    package let connection: Int
    /// The method, e.g. `GET`.
    package let method: String
    /// The request target as sent.
    package let path: String
    /// The header fields, with names in lower case.
    package let headers: [(name: String, value: String)]

    /// The value of a field, by its name in lower case.
    package subscript(name: String) -> String? { headers.first { $0.name == name }?.value }

    /// The first requested byte, and the last one if it is given; nil without a Range.
    package var range: (first: Int64, last: Int64?)? {
        guard let text = self["range"], text.hasPrefix("bytes=") else { return nil }
        let parts = text.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let first = Int64(parts[0]) else { return nil }
        return (first, Int64(parts[1]))
    }

    /// Whether the request is a probe, which asks for the first byte only.
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

/// The number of responses that an origin sends concurrently.
package struct AnswerCount: Sendable {
    /// The current number.
    public private(set) var running = 0
    /// The maximum so far.
    public private(set) var most = 0

    mutating func begin() {
        running += 1
        most = max(most, running)
    }

    mutating func end() { running -= 1 }
}
