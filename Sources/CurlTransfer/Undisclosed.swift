/// A value that contains a secret. Printing, debugging and reflection show its `description` only.
package protocol Undisclosed: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {}

extension Undisclosed {
    /// A placeholder, which reveals only that a value exists.
    package var description: String { "(secret)" }
    /// The same placeholder.
    package var debugDescription: String { description }
    /// Reflection shows no children.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
