/// The event of an entry in a location's history: a `LocationEvent`, or an event that leaves the status as it is
/// (docs/location-status.md).
package enum LocationHistoryEvent: String, Sendable, Hashable, Codable, CaseIterable {
    /// The location was added.
    case registered
    /// Its weight, its tier or its metadata were changed.
    case edited
    /// A probe failed. The location stays pending.
    case probeFailed = "probe_failed"
    /// The location contributed to bytes that did not match their digest.
    case markedSuspect = "marked_suspect"
    /// A full read of the location, or a download that it served alone, matched the digest. This clears a suspect.
    case verified
    /// A full read did not find the object.
    case missed
    /// The location and another one agree with each other against the declared digest.
    case digestConflict = "digest_conflict"
    /// The other cases are those of `LocationEvent`.
    case probed
    case verify
    case matched
    case mismatched
    case unreachable
    case suspect
    case quarantine
    case disable
    case enable
    case delete
    case restore
    case expire

    /// The event of the entry that records a change of the status.
    package init(_ event: LocationEvent) {
        self =
            switch event {
            case .probed: .probed
            case .verify: .verify
            case .matched: .matched
            case .mismatched: .mismatched
            case .unreachable: .unreachable
            case .suspect: .suspect
            case .quarantine: .quarantine
            case .disable: .disable
            case .enable: .enable
            case .delete: .delete
            case .restore: .restore
            case .expire: .expire
            }
    }
}
