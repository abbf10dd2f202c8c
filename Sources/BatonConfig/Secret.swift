import CurlTransfer

/// A password or similar secret, which printing, debugging and reflection do not reveal.
package struct Secret: Sendable, Equatable, Undisclosed {
    /// The secret itself.
    package let value: String

    package init(_ value: String) { self.value = value }
}
