package import ImageModel

/// The range that a request asks for, as Glance reads the `Range` field: a reversed or malformed range is 416, where RFC 9110
/// ignores it, and several ranges are 400.
package enum RangeHeader: Equatable {
    /// No range, or one in a unit other than bytes: the whole representation.
    case whole
    case range(ByteRange)
    /// A range outside the representation: 416.
    case unsatisfiable
    /// More than one range: 400.
    case several

    /// Parses the value of a `Range` field for a representation of `size` bytes.
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

    /// Parses the legacy request field `Content-Range: bytes 1-2/3`, which older Glance clients send.
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

    /// A number of digits only. One that exceeds 64 bits becomes the maximum, which lies beyond any end.
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
