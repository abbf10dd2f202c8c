/// Which bytes one location contributed.
public struct Segment: Sendable, Hashable {
    /// The location, by its index among the candidates.
    public let candidate: Int
    /// The offset of the first byte.
    public let first: Int64
    /// The offset behind the last byte.
    public internal(set) var end: Int64
}
