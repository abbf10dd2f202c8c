/// A non-empty span of a representation's bytes, both ends included, as HTTP counts them (RFC 9110 section 14).
package struct ByteRange: Sendable, Hashable {
    /// The offset of the first byte, from 0.
    package let first: Int64
    /// The offset of the last byte; never below `first`.
    package let last: Int64

    /// The span from `first` to `last`; nil when it would be empty or negative.
    package init?(first: Int64, last: Int64) {
        guard first >= 0, last >= first else { return nil }
        self.first = first
        self.last = last
    }

    /// All bytes of a content of `size` bytes; nil when there are none.
    package init?(whole size: Int64) {
        self.init(first: 0, last: size - 1)
    }

    /// How many bytes it spans; at least 1.
    package var count: Int64 { last - first + 1 }

    /// What is left of it from `offset` on; nil when nothing is.
    package func remainder(from offset: Int64) -> ByteRange? {
        ByteRange(first: max(first, offset), last: last)
    }

    /// Its beginning, at most `limit` bytes long; `limit` is at least 1.
    package func prefix(_ limit: Int64) -> ByteRange {
        ByteRange(first: first, last: min(last, first + max(limit, 1) - 1)) ?? self
    }

    /// Whether it is the whole of a content of `size` bytes.
    package func isWhole(of size: Int64) -> Bool { first == 0 && last == size - 1 }
}

extension ByteRange: CustomStringConvertible {
    /// `first-last`.
    package var description: String { "\(first)-\(last)" }
}
