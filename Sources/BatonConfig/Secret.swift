/// A password or the like: whoever prints it sees that it is there, and no more.
public struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The secret itself, to hand to whoever needs it.
    public let value: String

    /// A secret.
    public init(_ value: String) { self.value = value }

    /// That there is one.
    public var description: String { "(secret)" }
    /// That there is one.
    public var debugDescription: String { description }
    /// Nothing to look into.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
