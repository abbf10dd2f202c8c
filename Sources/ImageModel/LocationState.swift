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
