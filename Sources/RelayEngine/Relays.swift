package import BackendKit
package import CurlTransfer
package import ImageModel
package import LocationSelection
import Synchronization

/// Makes relays: selects and ranks the locations, reserves the memory and assigns the loop.
package final class Relays: Sendable {
    /// The configured backends.
    package let registry: BackendRegistry
    /// The memory that downloads share.
    package let memory: RelayMemory
    /// The health of backends and locations, by which locations are ranked.
    package let health: HealthRecord
    /// The open relays, and the locations that none of them may read.
    package let running = RunningRelays()
    private let loops: [TransferLoop]
    private let settings: Mutex<(policy: RelayPolicy, strategy: SelectionStrategy)>
    private let isVerifyingWholes: Bool
    private let chunkSize: Int64
    private let making = Mutex(ManifestBuildCoordinator())
    private let turn = Atomic(0)

    /// - Parameters:
    ///   - loops: the threads that relays are spread over; at least one.
    ///   - penalty: how long a failed location is ranked behind the others.
    ///   - breaker: when a backend is ranked behind the others, and for how long.
    ///   - isVerifyingWholes: false switches the verification off, for measurements only.
    ///   - chunkSize: the chunk size in bytes of the manifests that downloads make.
    ///   - memory: the memory that downloads share.
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
        health = HealthRecord(penalty: penalty, breaker: breaker)
    }

    /// How locations of one tier are ordered.
    package var strategy: SelectionStrategy { settings.withLock { $0.strategy } }

    private var policy: RelayPolicy { settings.withLock { $0.policy } }

    /// Changes the limits and the strategy of future relays.
    /// - Parameters:
    ///   - penalty: how long a location that fails from now on is ranked behind the others.
    ///   - breaker: when a backend is ranked behind the others from now on, and for how long.
    package func configure(
        policy: RelayPolicy, strategy: SelectionStrategy, penalty: Duration, breaker: Breaker.Limits
    ) {
        settings.withLock { $0 = (policy, strategy) }
        health.configure(penalty: penalty, breaker: breaker)
    }

    /// Ranks the locations of one representation by their current status and health.
    /// - Parameters:
    ///   - size: the number of bytes to read.
    ///   - isExploring: whether a location other than the best may be ranked first to keep its measurement current.
    package func select(
        _ locations: [Location], for requirement: Selection.Requirement, size: Int64, isExploring: Bool = true
    ) -> Selection {
        Selection(
            of: locations, requirement: requirement, size: size, strategy: strategy, backends: Set(registry.all.map(\.id)),
            health: health.current, randomNumber: isExploring ? .random(in: 0...UInt64.max) : nil, at: .now)
    }

    /// Gets a share of the memory for a download, and waits for it if necessary.
    /// - Parameter caller: the user and subscriber that share fairly (`APIContext.userAndSubscriber`).
    /// - Throws: if none is available in time, or if the caller has too many downloads.
    package func memoryShare(
        for caller: String, of representation: Representation, range: ByteRange?, manifest: RelayManifest?
    ) async throws(MemoryRefusal) -> MemoryShare {
        let plan = relayPlan(of: representation, range: range, manifest: manifest, over: [])
        return try await memory.share(for: caller, MemoryNeed(plan, policy))
    }

    private func relayPlan(
        of representation: Representation, range: ByteRange?, manifest: RelayManifest?,
        over candidates: [RelayPlan.Candidate]
    ) -> RelayPlan {
        let layout = isVerifyingWholes ? manifest?.layout : nil
        // A range of all bytes is verified as a whole.
        if let range, !range.isWhole(of: representation.size) {
            return RelayPlan(range: range, of: representation.size, layout: layout, candidates: candidates)
        }
        let verification: RelayPlan.Verification = layout.map { .chunks($0) } ?? (isVerifyingWholes ? .digest : .none)
        return RelayPlan(whole: representation.size, verification: verification, candidates: candidates)
    }

    /// A relay over the selected locations; it starts with `start()`.
    /// - Parameters:
    ///   - range: the bytes to deliver; nil for the whole.
    ///   - manifest: the digests of the chunks, which verify the bytes; without it only a whole is verified.
    ///   - caller: the user and subscriber (`APIContext.userAndSubscriber`). Callers take turns
    ///     at a backend whose connections are limited.
    ///   - memory: the share of the memory; nil for the whole window at any time.
    ///   - isFresh: whether to bypass caches and use new connections.
    ///   - onIncident: called when a problem occurs; must not block.
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
            // It may have been withdrawn since the catalog was read, before this relay was known.
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
        let plan = relayPlan(of: representation, range: range, manifest: manifest, over: candidates)
        let made = plan.isWhole && plan.verification == .digest ? beginMaking(representation) : nil
        let relay = Relay(
            plan: plan, sources: sources, queueKey: .download(by: caller, of: representation.image.description),
            identity: representation.identity, manifest: manifest, making: made, memory: memory, policy: policy,
            loop: nextLoop(), sink: sink, observer: health, onIncident: onIncident,
            onEnd: { self.relayEnded($0) })
        running.add(
            relay, making: made == nil ? nil : representation.name, withoutManifest: layout == nil ? representation.name : nil)
        // A location may have been withdrawn since the selection above, before this relay was known.
        for source in sources where running.isWithdrawn(source.location) { relay.withdraw(source.location, atOnce: true) }
        return relay
    }

    private func beginMaking(_ representation: Representation) -> ChunkLayout? {
        guard let layout = ChunkLayout(size: representation.size, chunkSize: chunkSize),
            making.withLock({ $0.begin(representation.name, at: .now) })
        else { return nil }
        return layout
    }

    /// The loop for the next relay, in turn.
    package func nextLoop() -> TransferLoop {
        loops[turn.add(1, ordering: .relaxed).oldValue % loops.count]
    }

    /// Removes the relay from the open ones.
    private func relayEnded(_ relay: Relay) {
        if let made = running.remove(relay) { making.withLock { $0.end(made) } }
    }
}
