/// What pins one location's object while it is read: an ETag or a date (http), inode, size and mtime (file).
///
/// Two equal validators of one location mean the same bytes; those of different locations say nothing about each other.
///
/// Entity tags are compared weakly (RFC 9110 section 8.8.3.2): `W/"v"` equals `"v"`. A server that compresses on its way, or a proxy
/// before it, adds the mark and takes it away again while the object stays the same.
package struct Validator: Sendable, Hashable, CustomStringConvertible {
    /// The driver's own text.
    package let text: String

    /// A validator of the driver's own text.
    package init(_ text: String) { self.text = text }

    /// The driver's own text.
    package var description: String { text }

    /// Weakly: the mark of a weak entity tag makes no difference. Otherwise by bytes: texts that read the same may be another thing to a
    /// server.
    package static func == (left: Validator, right: Validator) -> Bool { left.opaqueTag.elementsEqual(right.opaqueTag) }

    /// As `==` compares.
    package func hash(into hasher: inout Hasher) { for byte in opaqueTag { hasher.combine(byte) } }

    /// The bytes of the text without the mark of a weak entity tag.
    private var opaqueTag: Substring.UTF8View {
        (text.hasPrefix("W/\"") || text.hasPrefix("w/\"") ? text.dropFirst(2) : text[...]).utf8
    }
}
