package import ImageModel

/// What a request's Range asks for, in Glance's reading of it: a reversed or malformed range is 416 where RFC 9110 would have it
/// ignored, and several ranges are 400.
package enum RangeHeader: Equatable {
    /// No range, or one in a unit that is not bytes: send everything.
    case whole
    /// These bytes.
    case range(ByteRange)
    /// None of the representation's bytes: 416.
    case unsatisfiable
    /// More than one range: 400.
    case several

    /// Reads the value of a `Range` field against a representation of `size` bytes.
    package init(_ text: String?, size: Int64) {
        guard let text else {
            self = .whole
            return
        }
        let trimmed = text.trimmingBlanks()
        guard let equals = trimmed.firstIndex(of: "=") else {
            self = .unsatisfiable
            return
        }
        guard trimmed[..<equals].trimmingBlanks().lowercased() == "bytes" else {
            self = .whole
            return
        }
        let specification = trimmed[trimmed.index(after: equals)...].trimmingBlanks()
        guard !specification.contains(",") else {
            self = .several
            return
        }
        guard let range = Self.range(specification, size: size) else {
            self = .unsatisfiable
            return
        }
        self = .range(range)
    }

    /// Reads the legacy request field `Content-Range: bytes 1-2/3`, which Glance's older clients send.
    package init(contentRange text: String, size: Int64) {
        let words = text.split(separator: " ")
        guard words.count == 2, words[0].lowercased() == "bytes" else {
            self = .unsatisfiable
            return
        }
        let halves = words[1].split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2, halves[1] == "*" || halves[1] == "\(size)",
            let range = Self.range(halves[0], size: size)
        else {
            self = .unsatisfiable
            return
        }
        self = .range(range)
    }

    private static func range(_ text: Substring, size: Int64) -> ByteRange? {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2 else { return nil }
        if ends[0].isEmpty {
            guard let count = number(ends[1]), count > 0 else { return nil }
            return ByteRange(first: max(0, size - count), last: size - 1)
        }
        guard let first = number(ends[0]), first < size else { return nil }
        if ends[1].isEmpty { return ByteRange(first: first, last: size - 1) }
        guard let last = number(ends[1]) else { return nil }
        return ByteRange(first: first, last: min(last, size - 1))
    }

    /// Digits only, with a value that has a place in 64 bits; larger ones mean "beyond the end".
    private static func number(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return Int64(text) ?? .max
    }
}

extension StringProtocol {
    fileprivate func trimmingBlanks() -> SubSequence {
        var rest = self[...]
        while rest.first == " " || rest.first == "\t" { rest = rest.dropFirst() }
        while rest.last == " " || rest.last == "\t" { rest = rest.dropLast() }
        return rest
    }
}
