/// What pins one location's object while it is read: an ETag or a date (http), inode, size and mtime (file).
///
/// Two equal validators of one location mean the same bytes; those of different locations say nothing about each other.
public struct Validator: Sendable, Hashable, CustomStringConvertible {
    /// The driver's own text, compared as a whole.
    public let text: String

    /// By bytes: texts that read the same may be another thing to a server.
    public static func == (left: Validator, right: Validator) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }

    /// By bytes.
    public func hash(into hasher: inout Hasher) { for byte in text.utf8 { hasher.combine(byte) } }

    /// A validator of the driver's own text.
    public init(_ text: String) { self.text = text }

    /// The driver's own text.
    public var description: String { text }
}
