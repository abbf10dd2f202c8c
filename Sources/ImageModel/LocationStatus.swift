/// The durable status of a location: whether it may serve (docs/location-status.md).
package enum LocationStatus: String, Sendable, Hashable, Codable, CaseIterable {
    /// Registered, neither probed nor verified.
    case pending
    /// Out of service while it is read in full.
    case verifying
    /// In service: downloads may read from it.
    case active
    /// Out of service at an operator's request.
    case disabled
    /// Out of service because its content is wrong or missing.
    case quarantined
    /// Out of service and marked for deletion after a delay.
    case pendingDelete = "pending_delete"
    /// Deleted: the record is a tombstone. The object in the backend is untouched, unless an upload wrote it.
    case deleted

    /// Whether downloads may read from it.
    package var serves: Bool { self == .active }
}

/// The events of a location.
package enum LocationEvent: String, Sendable, Hashable, Codable, CaseIterable {
    /// A ranged read found the object with the expected size and recorded its validator.
    case probed
    /// A full read was requested.
    case verify
    /// The full read matched the digest, or computed it if none was declared.
    case matched
    /// The full read and its repetition found the same wrong content, or an unacceptable format.
    case mismatched
    /// The full read ended without a result: it failed, was inconclusive, or was interrupted by a restart.
    case unreachable
    /// The location contributed to a failed verification and is taken out of service to be read alone.
    case suspect
    /// A location in service has wrong content, an unacceptable format or no object any more, or an operator quarantined it.
    case quarantine
    /// An operator took it out of service.
    case disable
    /// An operator put it back into service.
    case enable
    /// A caller requested its deletion.
    case delete
    /// An operator cancelled the deletion before the delay was over.
    case restore
    /// The deletion delay has passed.
    case expire
}

/// A location's status together with the statuses it can return to.
package struct LocationState: Sendable, Hashable {
    /// The current status.
    package private(set) var status: LocationStatus
    /// The statuses to return to, the latest last. A disabled location that is deleted and restored is disabled again, and
    /// enabling it then still restores the status before.
    package private(set) var before: [LocationStatus]

    /// Creates a state from the catalog's values; a new location is `pending`.
    package init(_ status: LocationStatus = .pending, before: [LocationStatus] = []) {
        self.status = status
        self.before = before
    }

    /// The events that are legal now, in order of declaration.
    package var legalEvents: [LocationEvent] {
        LocationEvent.allCases.filter { LocationTransition.table[status]?[$0] != nil }
    }

    /// Applies an event.
    /// - Throws: `IllegalLocationEvent` with the legal events; the state is then unchanged.
    package mutating func apply(_ event: LocationEvent) throws(IllegalLocationEvent) {
        guard let transition = LocationTransition.table[status]?[event] else {
            throw IllegalLocationEvent(event: event, status: status, legal: legalEvents)
        }
        switch transition {
        case .to(let next):
            status = next
            before = []
        case .suspending(let next):
            before.append(status)
            status = next
        case .replacing(let next):
            status = next
        case .back:
            status = before.popLast() ?? .pending
        case .verified:
            status = .active
            before = []
        case .stay:
            break
        }
    }
}

/// An event that the current status does not allow.
package struct IllegalLocationEvent: Error, Sendable, Equatable, CustomStringConvertible {
    /// The rejected event.
    package let event: LocationEvent
    /// The status at that time.
    package let status: LocationStatus
    /// The events that would have been legal.
    package let legal: [LocationEvent]

    package var description: String {
        let choices = legal.isEmpty ? "nothing" : legal.map(\.rawValue).joined(separator: ", ")
        return "a location that is \(status.rawValue) can't take the event \(event.rawValue); possible now: \(choices)"
    }
}

/// The effect of an event on a status.
package enum LocationTransition: Sendable, Hashable {
    /// Changes to that status. No earlier status is kept, so there is none to return to.
    case to(LocationStatus)
    /// Changes to that status and keeps the current one to return to.
    case suspending(LocationStatus)
    /// Replaces the current status by that one and keeps the earlier ones.
    case replacing(LocationStatus)
    /// Returns to the latest status that was kept.
    case back
    /// Changes to `active` and forgets the earlier statuses, since the location is verified.
    case verified
    /// Changes nothing: the read continues while the location serves.
    case stay

    /// The complete table of legal transitions. A missing pair is illegal.
    package static let table: [LocationStatus: [LocationEvent: LocationTransition]] = [
        .pending: [.probed: .to(.active), .verify: .suspending(.verifying), .delete: .suspending(.pendingDelete)],
        .verifying: [
            .matched: .verified, .mismatched: .to(.quarantined), .unreachable: .back,
            .disable: .replacing(.disabled), .delete: .replacing(.pendingDelete),
        ],
        .active: [
            .verify: .stay, .suspect: .suspending(.verifying), .quarantine: .to(.quarantined),
            .disable: .suspending(.disabled), .delete: .suspending(.pendingDelete),
        ],
        .disabled: [.enable: .back, .delete: .suspending(.pendingDelete)],
        .quarantined: [
            .verify: .suspending(.verifying), .disable: .suspending(.disabled), .delete: .suspending(.pendingDelete),
        ],
        .pendingDelete: [.restore: .back, .expire: .to(.deleted)],
        .deleted: [:],
    ]
}

extension LocationTransition {
    /// The whole table as a Mermaid state diagram, which docs/location-status.md shows.
    package static var diagram: String {
        var lines = ["stateDiagram-v2", "    [*] --> pending"]
        for status in LocationStatus.allCases {
            for event in LocationEvent.allCases {
                guard let transition = table[status]?[event] else { continue }
                lines.append("    \(status.rawValue) --> \(target(of: transition, from: status)): \(event.rawValue)")
            }
        }
        return (lines + ["    deleted --> [*]"]).joined(separator: "\n")
    }

    private static func target(of transition: LocationTransition, from status: LocationStatus) -> String {
        switch transition {
        case .to(let next), .suspending(let next), .replacing(let next): next.rawValue
        case .back: "status_before"
        case .verified: LocationStatus.active.rawValue
        case .stay: status.rawValue
        }
    }
}
