/// The validator that pins one location's object while it is read: an ETag or a date (http), inode, size and mtime (file).
///
/// Two equal validators of one location mean the same bytes. Validators of different locations are unrelated.
///
/// Entity tags are compared weakly (RFC 9110 section 8.8.3.2): `W/"v"` equals `"v"`. A server or proxy that compresses on the
/// fly adds and removes the mark while the object stays the same.
package struct Validator: Sendable, Hashable, CustomStringConvertible {
    /// The driver's own text.
    package let text: String

    package init(_ text: String) { self.text = text }

    package var description: String { text }

    /// Compares without the mark of a weak entity tag, byte by byte: a server may distinguish canonically equivalent texts.
    package static func == (left: Validator, right: Validator) -> Bool { left.opaqueTag.elementsEqual(right.opaqueTag) }

    /// Hashes consistently with `==`.
    package func hash(into hasher: inout Hasher) { for byte in opaqueTag { hasher.combine(byte) } }

    /// The bytes of the text without the mark of a weak entity tag.
    private var opaqueTag: Substring.UTF8View {
        (text.hasPrefix("W/\"") || text.hasPrefix("w/\"") ? text.dropFirst(2) : text[...]).utf8
    }
}
