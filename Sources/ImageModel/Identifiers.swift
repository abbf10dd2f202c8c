public import FoundationEssentials

/// Names an image. On the wire a UUID in lower case, as Glance writes it.
public struct ImageID: Sendable, Hashable, LosslessStringConvertible {
    /// The UUID behind it.
    public let uuid: UUID

    /// A new, random id.
    public init() { uuid = UUID() }

    /// The id that `text` spells; nil when it is no UUID.
    public init?(_ text: String) {
        guard let uuid = UUID(uuidString: text) else { return nil }
        self.uuid = uuid
    }

    /// The UUID in lower case.
    public var description: String { uuid.uuidString.lowercased() }
}

/// Names a location. On the wire a UUID in lower case.
public struct LocationID: Sendable, Hashable, LosslessStringConvertible {
    /// The UUID behind it.
    public let uuid: UUID

    /// A new, random id.
    public init() { uuid = UUID() }

    /// The id that `text` spells; nil when it is no UUID.
    public init?(_ text: String) {
        guard let uuid = UUID(uuidString: text) else { return nil }
        self.uuid = uuid
    }

    /// The UUID in lower case.
    public var description: String { uuid.uuidString.lowercased() }
}

/// Names a configured backend: its key in the configuration.
public struct BackendID: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The key as the operator wrote it.
    public let name: String

    /// The backend of that key.
    public init(_ name: String) { self.name = name }

    /// The key.
    public var description: String { name }

    /// By name, so that lists are stable.
    public static func < (left: BackendID, right: BackendID) -> Bool { left.name < right.name }
}
