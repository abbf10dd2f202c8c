/// The durable status of a location: whether it may serve (docs/location-status.md).
package enum LocationStatus: String, Sendable, Hashable, Codable, CaseIterable {
    /// Registered, neither probed nor verified.
    case pending
    /// Out of service while it is read in full.
    case verifying
    /// In service.
    case active
    /// Out of service at an operator's request.
    case disabled
    /// Out of service because its content is wrong or missing.
    case quarantined
    /// Marked for deletion after a delay.
    case pendingDelete = "pending_delete"
    /// A tombstone record; the backend's bytes are untouched.
    case deleted

    /// Whether downloads may read from it.
    package var serves: Bool { self == .active }
}

/// The events of a location.
package enum LocationEvent: String, Sendable, Hashable, Codable, CaseIterable {
    /// A ranged read confirmed existence, size and validator.
    case probed
    /// A full read was requested.
    case verify
    /// The full read matched the digest.
    case matched
    /// The full read and its repetition did not match.
    case mismatched
    /// The full read failed, or a restart interrupted it.
    case unreachable
    /// A failed verification made it a suspect.
    case suspect
    /// Its content is verified to be wrong or missing.
    case quarantine
    /// An operator took it out of service.
    case disable
    /// An operator put it back into service.
    case enable
    /// An operator requested its deletion.
    case delete
    /// An operator cancelled the deletion before the delay was over.
    case restore
    /// The delay is over.
    case expire
}
