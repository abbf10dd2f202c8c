/// A password or the like: whoever prints it sees that it is there, and no more.
package struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The secret itself, to hand to whoever needs it.
    package let value: String

    /// A secret.
    package init(_ value: String) { self.value = value }

    /// That there is one.
    package var description: String { "(secret)" }
    /// That there is one.
    package var debugDescription: String { description }
    /// Nothing to look into.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
