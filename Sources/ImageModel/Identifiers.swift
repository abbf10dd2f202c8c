package import FoundationEssentials

/// Names an image. On the wire a UUID in lower case, as Glance writes it.
package struct ImageID: Sendable, Hashable, LosslessStringConvertible {
    /// The UUID behind it.
    package let uuid: UUID

    /// A new, random id.
    package init() { uuid = UUID() }

    /// The id that `text` spells; nil when it is no UUID.
    package init?(_ text: String) {
        guard let uuid = UUID(uuidString: text) else { return nil }
        self.uuid = uuid
    }

    /// The UUID in lower case.
    package var description: String { uuid.uuidString.lowercased() }
}

/// Names a location. On the wire a UUID in lower case.
package struct LocationID: Sendable, Hashable, LosslessStringConvertible {
    /// The UUID behind it.
    package let uuid: UUID

    /// A new, random id.
    package init() { uuid = UUID() }

    /// The id that `text` spells; nil when it is no UUID.
    package init?(_ text: String) {
        guard let uuid = UUID(uuidString: text) else { return nil }
        self.uuid = uuid
    }

    /// The UUID in lower case.
    package var description: String { uuid.uuidString.lowercased() }
}

/// Names a configured backend: its key in the configuration.
package struct BackendID: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The key as the operator wrote it.
    package let name: String

    /// The backend of that key.
    package init(_ name: String) { self.name = name }

    /// The key.
    package var description: String { name }

    /// By name, so that lists are stable.
    package static func < (left: BackendID, right: BackendID) -> Bool { left.name < right.name }
}
