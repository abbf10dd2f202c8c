/// What pins one location's object while it is read: an ETag or a date (http), inode, size and mtime (file).
///
/// Two equal validators of one location mean the same bytes; those of different locations say nothing about each other.
public struct Validator: Sendable, Hashable, CustomStringConvertible {
    /// The driver's own text, compared as a whole.
    public let text: String

    /// A validator of the driver's own text.
    public init(_ text: String) { self.text = text }

    /// The driver's own text.
    public var description: String { text }
}
