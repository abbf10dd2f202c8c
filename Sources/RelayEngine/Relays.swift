public import BackendKit
public import CurlTransfer
public import ImageModel
public import LocationSelection
internal import Synchronization

/// Makes relays: chooses the locations, the order and the loop, and remembers who failed lately.
public final class Relays: RelayObserver {
    /// The configured backends.
    public let registry: BackendRegistry
    private let loops: [TransferLoop]
    private let policy: RelayPolicy
    /// How locations of one tier are ordered.
    public let strategy: SelectionStrategy
    private let provesWholes: Bool
    private let health: Mutex<LocationHealth>
    private let running = RunningRelays()
    private let turn = Atomic(0)

    /// - Parameters:
    ///   - loops: the threads that relays are spread over; at least one.
    ///   - penalty: how long a failed location stands at the end.
    ///   - provesWholes: false switches the digest off, for measurements only.
    public init(
        registry: BackendRegistry, loops: [TransferLoop], policy: RelayPolicy, strategy: SelectionStrategy, penalty: Duration,
        provesWholes: Bool = true
    ) {
        precondition(!loops.isEmpty, "relays need a transfer loop")
        self.registry = registry
        self.loops = loops
        self.policy = policy
        self.strategy = strategy
        self.provesWholes = provesWholes
        health = Mutex(LocationHealth(penalty: penalty))
    }

    /// Ranks the locations of one representation as they stand now.
    public func select(_ locations: [Location], for need: Selection.Need) -> Selection {
        Selection(
            of: locations, need: need, strategy: strategy, backends: Set(registry.all.map(\.id)),
            health: health.withLock { $0 }, at: .now)
    }

    /// A relay over the selected locations; it starts with `start()`.
    /// - Parameters:
    ///   - range: the bytes to deliver; nil for the whole, which is then proven.
    ///   - caller: who asked for it; callers have their turns where a backend's connections are limited.
    ///   - isFresh: whether to go past caches on new connections.
    public func relay(
        of representation: Representation, range: ByteRange?, over selection: Selection, by caller: String,
        isFresh: Bool = false, to outlet: any RelayOutlet
    ) -> Relay {
        var candidates: [RelayPlan.Candidate] = []
        var sources: [RelaySource] = []
        for location in selection.ranked.map(\.location) {
            // Taken out after the catalog was asked, before this relay could be told.
            guard let backend = registry[location.backend], !running.isWithdrawn(location.id) else { continue }
            candidates.append(
                .init(
                    maximumRange: backend.driver.capabilities.maximumRange,
                    requiredValidator: range == nil ? nil : location.validator,
                    patience: backend.connections?.patience, renewsCredentials: backend.driver.credentials != nil))
            sources.append(
                RelaySource(
                    location: location.id, backend: backend.id, path: location.path, driver: backend.driver,
                    connections: backend.connections, isFresh: isFresh))
        }
        let plan =
            range.map { RelayPlan(range: $0, of: representation.size, candidates: candidates) }
            ?? RelayPlan(whole: representation.size, proof: provesWholes ? .digest : .none, candidates: candidates)
        let relay = Relay(
            plan: plan, sources: sources, party: .download(by: caller, of: representation.image.description),
            identity: representation.identity, policy: policy, loop: nextLoop(), outlet: outlet, observer: self)
        running.add(relay)
        // Taken out between the choice above and now: the relay was not known yet when others were told.
        for source in sources where running.isWithdrawn(source.location) { relay.withdraw(source.location, atOnce: true) }
        return relay
    }

    /// The location may not serve any more: running relays leave it.
    /// - Parameter atOnce: whether not one byte more of it may be read; else it goes on where no other can.
    public func withdraw(_ location: LocationID, atOnce: Bool) { running.withdraw(location, atOnce: atOnce) }

    /// The location may serve again; for relays to come.
    public func readmit(_ location: LocationID) { running.readmit(location) }

    /// How many relays are open.
    public var runningCount: Int { running.count }

    /// The loop whose turn it is.
    public func nextLoop() -> TransferLoop {
        loops[turn.add(1, ordering: .relaxed).oldValue % loops.count]
    }

    /// Puts the location at the end for a while.
    public func locationFailed(_ location: LocationID, _ failure: AttemptFailure) {
        // Neither our own trouble nor our own limit is a failing of the location.
        guard failure.failureClass != .local, failure.reason != .withdrawn, failure.reason != .busy else { return }
        health.withLock { $0.recordFailure(of: location, at: .now) }
    }

    /// Puts the location back in its place.
    public func locationServed(_ location: LocationID) {
        health.withLock { $0.recordSuccess(of: location) }
    }

    /// Forgets it.
    public func relayEnded(_ relay: Relay) { running.remove(relay) }
}
