/// A value with a secret in it: whoever prints it, or looks into it, sees its `description` and no more.
package protocol Undisclosed: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {}

extension Undisclosed {
    /// That there is something.
    package var description: String { "(secret)" }
    /// The same.
    package var debugDescription: String { description }
    /// Nothing to look into.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
