/// Puts the lines that libcurl hands to its header callback together to one head.
///
/// Interim responses (1xx) are forgotten at the next status line, trailers after the head are ignored.
struct HeadParser {
    private var status = 0
    private var fields: [(name: String, value: String)] = []
    private var isComplete = false

    /// Takes one line with its line end.
    /// - Returns: the head when this line was the empty one that ends it, else nil.
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

    /// A value as text. What is no UTF-8 is Latin-1, as HTTP once had it: two entity tags that differ in a byte stay different.
    private static func value(of bytes: UnsafeRawBufferPointer) -> String {
        String(validating: bytes, as: UTF8.self) ?? String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    }

    /// `HTTP/1.1 206 Partial Content` → 206; 0 when there is none.
    private static func status(of line: UnsafeRawBufferPointer) -> Int {
        let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
        guard words.count >= 2 else { return 0 }
        return Int(String(decoding: words[1], as: UTF8.self)) ?? 0
    }
}

extension UnsafeRawBufferPointer {
    /// The same bytes without blanks and line ends around them.
    fileprivate var trimmed: UnsafeRawBufferPointer {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A }
        var start = startIndex
        var end = endIndex
        while start < end, isBlank(self[start]) { start += 1 }
        while end > start, isBlank(self[end - 1]) { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: self[start..<end])
    }
}
