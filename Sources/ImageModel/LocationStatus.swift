/// The durable answer to "may this location serve?" (docs/location-status.md).
package enum LocationStatus: String, Sendable, Hashable, Codable, CaseIterable {
    /// Registered, neither probed nor verified.
    case pending
    /// Taken out while it is read in full.
    case verifying
    /// May serve.
    case active
    /// Taken out by an operator.
    case disabled
    /// Its content was verified wrong or gone.
    case quarantined
    /// To be forgotten after a delay.
    case pendingDelete = "pending_delete"
    /// The record is a tombstone; the backend's bytes are untouched.
    case deleted

    /// Whether downloads may read from it.
    package var serves: Bool { self == .active }
}

/// What can happen to a location.
package enum LocationEvent: String, Sendable, Hashable, Codable, CaseIterable {
    /// One ranged read found existence, size and validator in order.
    case probed
    /// A full read was asked for.
    case verify
    /// The full read matched the digest.
    case matched
    /// The full read and its repetition did not match.
    case mismatched
    /// The full read could not be carried through, or was cut off by a restart.
    case unreachable
    /// A failed verification points at it.
    case suspect
    /// Its content was verified wrong or gone.
    case quarantine
    /// An operator takes it out.
    case disable
    /// An operator lets it back in.
    case enable
    /// An operator wants it forgotten.
    case delete
    /// An operator changed their mind before the delay was over.
    case restore
    /// The delay is over.
    case expire
}
