package import FoundationEssentials
package import ImageModel

/// One entry of a location's history.
package struct LocationHistoryEntry: Sendable, Equatable {
    package let time: Date
    package let event: LocationHistoryEvent
    package let from: LocationStatus
    package let to: LocationStatus
    /// The user or the component that caused it.
    package let actor: String
    /// The reason, as one phrase for a person; an operator's own text for an operation that has one.
    package let reason: String
}
