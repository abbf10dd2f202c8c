import ImageModel
import Synchronization

/// The relays that are open, to be told when a location may not serve any more.
final class RunningRelays: Sendable {
    private struct Entry {
        let relay: Relay
        /// Whose manifest it makes.
        let making: Representation.Name?
        /// Whose bytes it delivers with no manifest to verify them.
        let unverified: Representation.Name?
    }

    private struct State {
        var relays: [ObjectIdentifier: Entry] = [:]
        /// Locations taken out since the start: a relay that chose its locations just before must not miss it.
        var withdrawn: Set<LocationID> = []
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.relays.count } }

    /// The representations that are being delivered without a manifest.
    var unverified: Set<Representation.Name> { state.withLock { Set($0.relays.values.compactMap(\.unverified)) } }

    /// - Parameters:
    ///   - making: whose manifest it makes.
    ///   - unverified: whose bytes it delivers with no manifest to verify them.
    func add(_ relay: Relay, making: Representation.Name?, unverified: Representation.Name?) {
        state.withLock { $0.relays[ObjectIdentifier(relay)] = Entry(relay: relay, making: making, unverified: unverified) }
    }

    /// - Returns: whose manifest it made.
    func remove(_ relay: Relay) -> Representation.Name? {
        state.withLock { $0.relays.removeValue(forKey: ObjectIdentifier(relay))?.making }
    }

    func isWithdrawn(_ location: LocationID) -> Bool { state.withLock { $0.withdrawn.contains(location) } }

    func withdraw(_ location: LocationID, atOnce: Bool) {
        let relays = state.withLock { state in
            state.withdrawn.insert(location)
            return state.relays.values.map(\.relay)
        }
        for relay in relays { relay.withdraw(location, atOnce: atOnce) }
    }

    func readmit(_ location: LocationID) { state.withLock { _ = $0.withdrawn.remove(location) } }
}
