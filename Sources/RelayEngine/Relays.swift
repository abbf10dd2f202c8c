package import BackendKit
package import CurlTransfer
package import FoundationEssentials
package import ImageModel
package import LocationSelection
import Synchronization

/// Makes relays: chooses the locations, the order and the loop, and remembers who failed lately.
package final class Relays: RelayObserver {
    /// The configured backends.
    package let registry: BackendRegistry
    /// The memory that downloads share.
    package let memory: RelayMemory
    private let loops: [TransferLoop]
    private let settings: Mutex<(policy: RelayPolicy, strategy: SelectionStrategy)>
    private let isVerifyingWholes: Bool
    private let chunkSize: Int64
    private let making = Mutex(ManifestBuildCoordinator())
    private let health: Mutex<Health>
    private let lastFailures = Mutex(LastFailures())
    private let taken = Mutex<[BackendID: Int64]>([:])
    private let running = RunningRelays()
    private let turn = Atomic(0)

    /// - Parameters:
    ///   - loops: the threads that relays are spread over; at least one.
    ///   - penalty: how long a failed location stands at the end.
    ///   - breaker: when a backend is asked last, and for how long.
    ///   - isVerifyingWholes: false switches the digests off, for measurements only.
    ///   - chunkSize: how large the chunks are of the manifests that downloads make, in bytes.
    ///   - memory: what downloads share; a limit of its own unless one is given.
    package init(
        registry: BackendRegistry, loops: [TransferLoop], policy: RelayPolicy, strategy: SelectionStrategy, penalty: Duration,
        breaker: Breaker.Limits = Breaker.Limits(), isVerifyingWholes: Bool = true,
        chunkSize: Int64 = ChunkLayout.defaultChunkSize, memory: RelayMemory = RelayMemory(limit: 1 << 30)
    ) {
        precondition(!loops.isEmpty, "relays need a transfer loop")
        self.registry = registry
        self.memory = memory
        self.loops = loops
        settings = Mutex((policy, strategy))
        self.isVerifyingWholes = isVerifyingWholes
        self.chunkSize = chunkSize
        health = Mutex(Health(penalty: penalty, limits: breaker, seed: .random(in: 0...UInt64.max)))
    }

    /// How locations of one tier are ordered.
    package var strategy: SelectionStrategy { settings.withLock { $0.strategy } }

    private var policy: RelayPolicy { settings.withLock { $0.policy } }

    /// Other limits and another order, for relays to come.
    /// - Parameters:
    ///   - penalty: how long a location that fails from now on stands at the end.
    ///   - breaker: when a backend is asked last from now on, and for how long.
    package func configure(
        policy: RelayPolicy, strategy: SelectionStrategy, penalty: Duration, breaker: Breaker.Limits
    ) {
        settings.withLock { $0 = (policy, strategy) }
        health.withLock { $0.configure(penalty: penalty, limits: breaker) }
    }

    /// Ranks the locations of one representation as they stand now.
    /// - Parameters:
    ///   - size: how many bytes are needed of them.
    ///   - isExploring: whether the choice may be one that is made to learn; an explanation's may not.
    package func select(
        _ locations: [Location], for need: Selection.Need, size: Int64, isExploring: Bool = true
    ) -> Selection {
        Selection(
            of: locations, need: need, size: size, strategy: strategy, backends: Set(registry.all.map(\.id)),
            health: health.withLock { $0 }, randomNumber: isExploring ? .random(in: 0...UInt64.max) : nil, at: .now)
    }

    /// How a location failed last, if a download met that in this process.
    package func lastFailure(of location: LocationID) -> LastFailure? { lastFailures.withLock { $0[location] } }

    /// A location failed in a probe or a full read: no download was harmed, so its rank stays.
    package func noteFailure(of location: LocationID, _ failure: AttemptFailure) {
        lastFailures.withLock { $0.record(failure, of: location, at: .now) }
    }

    /// How many bytes downloads took of each backend since the start, those that run included.
    package var bytesTaken: [BackendID: Int64] { taken.withLock { $0 } }

    /// What was seen of a backend lately.
    package func health(of backend: BackendID) -> BackendHealth { health.withLock { $0[backend] } }

    /// Puts a backend behind the others, whatever its attempts say, until a probe read works.
    package func tripBreaker(_ backend: BackendID, because location: LocationID) {
        health.withLock { $0.trip(backend, for: location, at: .now) }
    }

    /// The probes of backends that are due, each with the location to read; the caller carries them out.
    package func beginProbes() -> [(backend: BackendID, location: LocationID)] {
        health.withLock { $0.beginProbes(at: .now) }
    }

    /// How a probe went.
    package func endProbe(of backend: BackendID, worked: Bool) {
        health.withLock { $0.endProbe(of: backend, worked: worked, at: .now) }
    }

    /// Gets a download its share of the memory, and waits for it if need be.
    /// - Throws: when there is none in time, or the caller has too many downloads.
    package func memoryShare(
        for caller: String, of representation: Representation, range: ByteRange?, manifest: RelayManifest?
    ) async throws(MemoryRefusal) -> MemoryShare {
        let plan = plan(of: representation, range: range, manifest: manifest, over: [])
        return try await memory.share(for: caller, MemoryNeed(plan, policy))
    }

    private func plan(
        of representation: Representation, range: ByteRange?, manifest: RelayManifest?,
        over candidates: [RelayPlan.Candidate]
    ) -> RelayPlan {
        let layout = isVerifyingWholes ? manifest?.layout : nil
        // A range that covers everything is verified as a whole, in whatever words it was asked for.
        if let range, !range.isWhole(of: representation.size) {
            return RelayPlan(range: range, of: representation.size, layout: layout, candidates: candidates)
        }
        let verification: RelayPlan.Verification = layout.map { .chunks($0) } ?? (isVerifyingWholes ? .digest : .none)
        return RelayPlan(whole: representation.size, verification: verification, candidates: candidates)
    }

    /// A relay over the selected locations; it starts with `start()`.
    /// - Parameters:
    ///   - range: the bytes to deliver; nil for the whole.
    ///   - manifest: the digests of its chunks, which then verify what is delivered; without them only a whole is.
    ///   - caller: who asked for it; callers have their turns where a backend's connections are limited.
    ///   - memory: its share of the memory; nil for the whole window at any time.
    ///   - isFresh: whether to go past caches on new connections.
    ///   - onIncident: told of what goes wrong when it does; must not wait.
    package func relay(
        of representation: Representation, range: ByteRange?, manifest: RelayManifest? = nil, over selection: Selection,
        by caller: String, memory: MemoryShare? = nil, isFresh: Bool = false, to sink: any ResponseSink,
        onIncident: @escaping @Sendable (RelayIncident) -> Void = { _ in }
    ) -> Relay {
        let layout = isVerifyingWholes ? manifest?.layout : nil
        let isPart = !(range?.isWhole(of: representation.size) ?? true)
        var candidates: [RelayPlan.Candidate] = []
        var sources: [RelaySource] = []
        for location in selection.ranked.map(\.location) {
            // Taken out after the catalog was asked, before this relay could be told.
            guard let backend = registry[location.backend], !running.isWithdrawn(location.id) else { continue }
            candidates.append(
                .init(
                    maximumRange: backend.driver.capabilities.maximumRange,
                    requiredValidator: isPart && layout == nil ? location.validator : nil,
                    timeout: backend.connections?.timeout, tier: location.tier, isSuspect: location.isSuspect))
            sources.append(
                RelaySource(
                    location: location.id, backend: backend.id, path: location.path, driver: backend.driver,
                    connections: backend.connections, isFresh: isFresh))
        }
        let plan = plan(of: representation, range: range, manifest: manifest, over: candidates)
        let made = plan.isWhole && plan.verification == .digest ? beginMaking(representation) : nil
        let relay = Relay(
            plan: plan, sources: sources, queueKey: .download(by: caller, of: representation.image.description),
            identity: representation.identity, manifest: manifest, making: made, memory: memory, policy: policy,
            loop: nextLoop(), sink: sink, observer: self, onIncident: onIncident)
        running.add(
            relay, making: made == nil ? nil : representation.name, unverified: layout == nil ? representation.name : nil)
        // Taken out between the choice above and now: the relay was not known yet when others were told.
        for source in sources where running.isWithdrawn(source.location) { relay.withdraw(source.location, atOnce: true) }
        return relay
    }

    private func beginMaking(_ representation: Representation) -> ChunkLayout? {
        guard let layout = ChunkLayout(size: representation.size, chunkSize: chunkSize),
            making.withLock({ $0.begin(representation.name, at: .now) })
        else { return nil }
        return layout
    }

    /// The location may not serve any more: running relays leave it.
    /// - Parameter atOnce: whether not one byte more of it may be read; else it goes on where no other can.
    package func withdraw(_ location: LocationID, atOnce: Bool) { running.withdraw(location, atOnce: atOnce) }

    /// The location may serve again; for relays to come.
    package func readmit(_ location: LocationID) { running.readmit(location) }

    /// The representations that are being delivered now without a manifest.
    package var deliveredWithoutManifest: Set<Representation.Name> { running.unverified }

    /// How many relays are open.
    package var runningCount: Int { running.count }

    /// The loop whose turn it is.
    package func nextLoop() -> TransferLoop {
        loops[turn.add(1, ordering: .relaxed).oldValue % loops.count]
    }

    /// Counts it.
    package func attemptBegan(in backend: BackendID) { health.withLock { $0.attemptBegan(in: backend) } }

    /// Takes its measure.
    package func attemptEnded(in backend: BackendID, _ measure: AttemptMeasure) {
        health.withLock { $0.attemptEnded(in: backend, measure, at: .now) }
    }

    /// Remembers it for the choices to come.
    package func recordThroughput(_ bytesPerSecond: Double, in backend: BackendID) {
        health.withLock { $0.recordThroughput(bytesPerSecond, in: backend, at: .now) }
    }

    /// Adds them up.
    package func bytesTaken(_ count: Int64, of backend: BackendID) { taken.withLock { $0[backend, default: 0] += count } }

    /// Goes by what was seen of their backends.
    package func estimates(of sources: [RelaySource]) -> [ThroughputEstimate] {
        health.withLock { health in
            sources.map { source in
                if let connections = source.connections, connections.counts.held >= connections.limit { return .avoided }
                return health.estimate(of: source.location, in: source.backend, at: .now)
            }
        }
    }

    /// Puts the location behind the others for a while, and counts it against its backend where that is to attribution.
    package func locationFailed(_ location: LocationID, in backend: BackendID, _ failure: AttemptFailure) {
        lastFailures.withLock { $0.record(failure, of: location, at: .now) }
        // Neither our own trouble nor our own limit is a failing of the location.
        guard failure.reason != .withdrawn, failure.reason != .busy, let trouble = failure.trouble else { return }
        health.withLock { $0.recordFailure(of: location, in: backend, trouble, at: .now) }
    }

    /// Puts the location back in its place.
    package func locationServed(_ location: LocationID) {
        health.withLock { $0.recordSuccess(of: location) }
    }

    /// Forgets it.
    package func relayEnded(_ relay: Relay) {
        if let made = running.remove(relay) { making.withLock { $0.end(made) } }
    }
}

extension AttemptFailure {
    /// Whose trouble it is; nil for ours. A disk's error is that of one file: its backend is judged by others.
    fileprivate var trouble: Health.Trouble? {
        switch failureClass {
        case .local: nil
        case .backend: reason == .diskError ? .location : .backend
        case .throttled: .throttled(retryAfter)
        case .location, .credentials: .location
        }
    }
}

/// A failure of a location in a download.
package struct LastFailure: Sendable, Equatable {
    package let time: Date
    /// The failure, in the store's words if it gave any.
    package let failure: AttemptFailure
}

/// The last failure of each location, for explanations of why a download avoided it; limited to the latest ones.
struct LastFailures: Sendable {
    private let limit: Int
    private var failures: [LocationID: LastFailure] = [:]

    init(limit: Int = 10_000) { self.limit = limit }

    subscript(location: LocationID) -> LastFailure? { failures[location] }

    mutating func record(_ failure: AttemptFailure, of location: LocationID, at time: Date) {
        failures[location] = LastFailure(time: time, failure: failure)
        // Removes half at once, so that a flood of failures does not search for the oldest entry each time.
        guard failures.count > limit else { return }
        let kept = failures.sorted { $0.value.time > $1.value.time }.prefix(limit / 2)
        failures = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
    }
}

/// Selects the downloads that build manifests. One download per representation suffices. If it takes long, for example for a
/// slow client, another one may begin each minute.
struct ManifestBuildCoordinator: Sendable {
    static let timeout: Duration = .seconds(60)

    private struct Makers {
        var count = 0
        var lastBegan: ContinuousClock.Instant
    }

    private var makers: [Representation.Name: Makers] = [:]

    /// - Returns: whether a download that begins now builds the manifest; its end must then be reported.
    mutating func begin(_ name: Representation.Name, at now: ContinuousClock.Instant) -> Bool {
        if let known = makers[name], now - known.lastBegan < Self.timeout { return false }
        makers[name, default: Makers(lastBegan: now)].count += 1
        makers[name]?.lastBegan = now
        return true
    }

    /// Records the end of a download that was to build the manifest, whether it succeeded or not.
    mutating func end(_ name: Representation.Name) {
        makers[name]?.count -= 1
        if makers[name]?.count == 0 { makers[name] = nil }
    }
}
