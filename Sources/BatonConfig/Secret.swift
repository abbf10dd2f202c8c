/// A password or similar secret, which printing, debugging and reflection do not reveal.
package struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The secret itself.
    package let value: String

    package init(_ value: String) { self.value = value }

    /// A placeholder that reveals only that a secret exists.
    package var description: String { "(secret)" }
    /// The same placeholder.
    package var debugDescription: String { description }
    /// Reflection shows no children.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
