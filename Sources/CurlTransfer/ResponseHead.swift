import CCurl

/// The head of a response: an HTTP status with its header fields, or the facts of an opened file.
package struct ResponseHead: Sendable {
    /// The HTTP status; 0 for a file.
    package let status: Int
    /// The header fields in order of arrival, with names in lower case and values without surrounding whitespace.
    package let fields: [(name: String, value: String)]
    package let file: FileFacts?

    package init(status: Int, fields: [(name: String, value: String)]) {
        self.status = status
        self.fields = fields
        self.file = nil
    }

    package init(file: FileFacts) {
        self.status = 0
        self.fields = []
        self.file = file
    }

    /// The value of the first field with that name (in lower case); nil if there is none.
    package subscript(name: String) -> String? {
        fields.first { $0.name == name }?.value
    }

    /// The date in the first field with that name, in seconds since 1970; nil if there is none that `curl_getdate(3)` can
    /// parse.
    package func time(_ name: String) -> Int64? {
        guard let value = self[name] else { return nil }
        let time = curl_getdate(value, nil)
        return time < 0 ? nil : Int64(time)
    }
}

/// Assembles a head from the lines that libcurl passes to its header callback.
///
/// Interim responses (1xx) are dropped at the next status line; trailers are ignored.
struct HeadParser {
    private var status = 0
    private var fields: [(name: String, value: String)] = []
    private var isComplete = false

    /// Adds one line with its line end.
    /// - Returns: the head if this was the empty line that ends it, else nil.
    mutating func take(_ line: UnsafeRawBufferPointer) -> ResponseHead? {
        guard !isComplete else { return nil }
        let text = line.trimmed
        if text.starts(with: "HTTP/".utf8) {
            status = Self.status(of: text)
            fields = []
            return nil
        }
        if text.isEmpty {
            guard status >= 200 else { return nil }
            isComplete = true
            return ResponseHead(status: status, fields: fields)
        }
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        let name = String(decoding: text[..<colon], as: UTF8.self).lowercased()
        fields.append((name, Self.value(of: UnsafeRawBufferPointer(rebasing: text[(colon + 1)...]).trimmed)))
        return nil
    }

    /// A value as text. A value that is not UTF-8 is decoded as Latin-1, which HTTP once used: entity tags that differ in a
    /// byte stay different.
    private static func value(of bytes: UnsafeRawBufferPointer) -> String {
        String(validating: bytes, as: UTF8.self) ?? String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    }

    /// Parses a status line: `HTTP/1.1 206 Partial Content` → 206; 0 if there is no status.
    private static func status(of line: UnsafeRawBufferPointer) -> Int {
        let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
        guard words.count >= 2 else { return 0 }
        return Int(String(decoding: words[1], as: UTF8.self)) ?? 0
    }
}

extension UnsafeRawBufferPointer {
    /// The bytes without surrounding whitespace and line ends.
    fileprivate var trimmed: UnsafeRawBufferPointer {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A }
        var start = startIndex
        var end = endIndex
        while start < end, isBlank(self[start]) { start += 1 }
        while end > start, isBlank(self[end - 1]) { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: self[start..<end])
    }
}
