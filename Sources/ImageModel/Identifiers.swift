package import FoundationEssentials

/// The id of an image: a UUID, in lower case on the wire as in Glance.
package struct ImageID: Sendable, Hashable, LosslessStringConvertible {
    package let uuid: UUID

    package init() { uuid = UUID() }

    /// The id with this UUID.
    package init(_ uuid: uuid_t) { self.uuid = UUID(uuid: uuid) }

    /// Parses a UUID; nil for any other text.
    package init?(_ text: String) {
        guard let uuid = UUID(uuidString: text) else { return nil }
        self.uuid = uuid
    }

    package var description: String { uuid.uuidString.lowercased() }
}

/// The id of a location: a UUID, in lower case on the wire.
package struct LocationID: Sendable, Hashable, LosslessStringConvertible {
    package let uuid: UUID

    package init() { uuid = UUID() }

    /// Parses a UUID; nil for any other text.
    package init?(_ text: String) {
        guard let uuid = UUID(uuidString: text) else { return nil }
        self.uuid = uuid
    }

    package var description: String { uuid.uuidString.lowercased() }
}

/// The id of a configured backend: its key in the configuration.
package struct BackendID: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let name: String

    package init(_ name: String) { self.name = name }

    package var description: String { name }

    /// Orders by name, so that lists are stable.
    package static func < (left: BackendID, right: BackendID) -> Bool { left.name < right.name }
}
