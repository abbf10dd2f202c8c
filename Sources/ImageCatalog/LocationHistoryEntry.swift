package import FoundationEssentials
package import ImageModel

/// One entry of a location's history.
package struct LocationHistoryEntry: Sendable, Equatable {
    package let time: Date
    /// The name of a `LocationEvent`, if the entry records an event. Other names record changes without one:
    /// - `registered`: the location was added.
    /// - `edited`: an operator changed its weight, tier or metadata.
    /// - `probe-failed`: a probe failed, and the location stays pending.
    /// - `marked_suspect`: it contributed to bytes that did not match their digest.
    /// - `verified`: a full read or a download from it alone matched the digest, which clears a suspect.
    /// - `missed`: a scrub did not find its object.
    /// - `digest_conflict`: another location has the same content, which contradicts the declared digest.
    package let event: String
    package let from: LocationStatus
    package let to: LocationStatus
    /// The user or the component that caused it.
    package let actor: String
    /// The reason, as one phrase for a person; an operator's own text for an operation that has one.
    package let reason: String
}
