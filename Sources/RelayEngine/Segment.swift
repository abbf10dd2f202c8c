/// A run of bytes that one location contributed.
package struct Segment: Sendable, Hashable {
    /// The location, by its index among the candidates.
    package let candidate: Int
    /// The offset of the first byte.
    package let first: Int64
    /// The offset after the last byte.
    package internal(set) var end: Int64
}
