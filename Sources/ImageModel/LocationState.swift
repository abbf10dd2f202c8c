/// A location's status together with the statuses it can come back to.
package struct LocationState: Sendable, Hashable {
    /// The present status.
    package private(set) var status: LocationStatus
    /// The statuses to come back to, the latest last. A disabled location that is deleted and restored is disabled again, and
    /// enabling it then still knows what it was.
    package private(set) var before: [LocationStatus]

    /// A state as the catalog stored it; a new location is `pending`.
    package init(_ status: LocationStatus = .pending, before: [LocationStatus] = []) {
        self.status = status
        self.before = before
    }

    /// The events that are legal now, in their order of declaration.
    package var legalEvents: [LocationEvent] {
        LocationEvent.allCases.filter { LocationTransition.table[status]?[$0] != nil }
    }

    /// Moves on by one event.
    /// - Throws: `IllegalLocationEvent`, naming the legal ones; the state is then unchanged.
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

/// An event that the present status does not allow.
package struct IllegalLocationEvent: Error, Sendable, Equatable, CustomStringConvertible {
    /// What was tried.
    package let event: LocationEvent
    /// The status it was tried in.
    package let status: LocationStatus
    /// What would have been legal.
    package let legal: [LocationEvent]

    /// One sentence for a person.
    package var description: String {
        let choices = legal.isEmpty ? "nothing" : legal.map(\.rawValue).joined(separator: ", ")
        return "a location that is \(status.rawValue) can't take the event \(event.rawValue); possible now: \(choices)"
    }
}
