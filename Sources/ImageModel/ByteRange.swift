/// A non-empty range of a representation's bytes with inclusive ends, as in HTTP (RFC 9110 section 14).
package struct ByteRange: Sendable, Hashable {
    package let first: Int64
    /// The offset of the last byte; never below `first`.
    package let last: Int64

    /// Creates a range; nil if it would be empty or negative.
    package init?(first: Int64, last: Int64) {
        guard first >= 0, last >= first else { return nil }
        self.first = first
        self.last = last
    }

    /// The range of all bytes of a content of `size` bytes; nil if `size` is 0.
    package init?(whole size: Int64) {
        self.init(first: 0, last: size - 1)
    }

    /// The number of bytes; at least 1.
    package var count: Int64 { last - first + 1 }

    /// The part from `offset` on; nil if it is empty.
    package func remainder(from offset: Int64) -> ByteRange? {
        ByteRange(first: max(first, offset), last: last)
    }

    /// The first `limit` bytes at most; `limit` is at least 1.
    package func prefix(_ limit: Int64) -> ByteRange {
        ByteRange(first: first, last: min(last, first + max(limit, 1) - 1)) ?? self
    }

    /// Whether the range covers a content of `size` bytes.
    package func isWhole(of size: Int64) -> Bool { first == 0 && last == size - 1 }
}

extension ByteRange: CustomStringConvertible {
    package var description: String { "\(first)-\(last)" }
}
