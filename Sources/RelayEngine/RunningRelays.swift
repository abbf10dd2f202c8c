package import ImageModel
import Synchronization

/// The open relays, which leave a location when it is withdrawn, and the withdrawn locations.
package final class RunningRelays: Sendable {
    private struct Entry {
        let relay: Relay
        /// The representation whose manifest it builds; nil if it builds none.
        let making: Representation.Name?
        /// The representation that it delivers without a manifest; nil if there is one.
        let withoutManifest: Representation.Name?
    }

    private struct State {
        var relays: [ObjectIdentifier: Entry] = [:]
        /// The locations withdrawn since the start, so that a relay that selected its locations just before does not miss it.
        var withdrawn: Set<LocationID> = []
    }

    private let state = Mutex(State())

    /// The number of open relays.
    package var count: Int { state.withLock { $0.relays.count } }

    /// The representations that are being delivered without a manifest.
    package var withoutManifest: Set<Representation.Name> {
        state.withLock { Set($0.relays.values.compactMap(\.withoutManifest)) }
    }

    /// - Parameters:
    ///   - making: the representation whose manifest it builds.
    ///   - withoutManifest: the representation that it delivers without a manifest.
    func add(_ relay: Relay, making: Representation.Name?, withoutManifest: Representation.Name?) {
        state.withLock {
            $0.relays[ObjectIdentifier(relay)] = Entry(relay: relay, making: making, withoutManifest: withoutManifest)
        }
    }

    /// - Returns: the representation whose manifest it built.
    func remove(_ relay: Relay) -> Representation.Name? {
        state.withLock { $0.relays.removeValue(forKey: ObjectIdentifier(relay))?.making }
    }

    func isWithdrawn(_ location: LocationID) -> Bool { state.withLock { $0.withdrawn.contains(location) } }

    /// Makes running relays leave a location that may not serve any more, and keeps future relays from reading it.
    /// - Parameter atOnce: whether not one more byte of it may be read; else a relay reads it on if no other location can
    ///   serve.
    package func withdraw(_ location: LocationID, atOnce: Bool) {
        let relays = state.withLock { state in
            state.withdrawn.insert(location)
            return state.relays.values.map(\.relay)
        }
        for relay in relays { relay.withdraw(location, atOnce: atOnce) }
    }

    /// Lets future relays read a location again.
    package func readmit(_ location: LocationID) { state.withLock { _ = $0.withdrawn.remove(location) } }
}
