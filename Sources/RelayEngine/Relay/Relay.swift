package import BackendKit
package import CurlTransfer
package import ImageModel
import LocationSelection
import NIOCore
import OriginRead

/// Carries out what a `RelayStateMachine` decides: one response, with attempts at one or more locations.
///
/// `@unchecked Sendable`: its state is touched on `loop`'s thread only (checked by `preconditionOnLoop`); other threads call
/// `start`, `clientGone` and `withdraw`, which enqueue a job there.
package final class Relay: @unchecked Sendable {
    /// The running attempt: the one that the state machine follows as a `RelayAttempt`, and the object that performs it.
    struct Running {
        let id: AttemptID
        let candidate: Int
        let attempt: OriginAttempt
        /// Measures the attempt once the request is made.
        var meter: AttemptMeter?
    }

    let loop: TransferLoop
    private let sources: [RelaySource]
    private let queueKey: QueueKey
    private let identity: Digest
    private let plan: RelayPlan
    private let sink: any ResponseSink
    private let observer: any RelayObserver
    /// The share of the memory of all relays; nil for no limit.
    private let memory: MemoryShare?
    private let onIncident: @Sendable (RelayIncident) -> Void
    private let onEnd: @Sendable (Relay) -> Void
    /// The number of bytes from the running attempt's backend that were not reported to the observer yet.
    private var unreportedBytes: Int64 = 0
    var machine: RelayStateMachine
    var running: Running?
    var buffer: RelayBuffer
    var verification: RelayVerification
    /// The contributors of rejected chunks. Further requests to them bypass caches.
    private var suspects: Set<Int> = []
    /// The offset below which bytes may leave, from the last `release` action. The state machine's `released` is the truth.
    private var releasedUpTo: Int64
    /// The number of bytes that were passed to the sink and are not delivered yet.
    private var inFlight: Int64 = 0
    /// The number of bytes that the client took. This count is the truth; that of the state machine follows by `consumed`.
    private var consumed: Int64 = 0
    var pending: [RelayAction] = []
    private var isPerforming = false
    private var summary = RelaySummary(outcome: .finished)

    /// A relay that has not started.
    /// - Parameters:
    ///   - sources: the locations, in the order of the plan's candidates.
    ///   - queueKey: the party that requests limited connections.
    ///   - identity: the digest that verifies a whole.
    ///   - manifest: the digests of the chunks, if the plan verifies by them.
    ///   - layout: the chunks of the manifest to make; nil for no manifest.
    ///   - memory: the share of the memory of all relays; nil for the whole window at any time.
    ///   - onIncident: called on the loop when a problem occurs.
    ///   - onEnd: called on the loop when the relay is over, before the sink is told.
    package init(
        plan: RelayPlan, sources: [RelaySource], queueKey: QueueKey, identity: Digest, manifest: RelayManifest? = nil,
        making layout: ChunkLayout? = nil, memory: MemoryShare? = nil, policy: RelayPolicy, loop: TransferLoop,
        sink: any ResponseSink, observer: any RelayObserver,
        onIncident: @escaping @Sendable (RelayIncident) -> Void = { _ in },
        onEnd: @escaping @Sendable (Relay) -> Void = { _ in }
    ) {
        precondition(plan.candidates.count == sources.count, "each candidate of a plan needs its source")
        self.loop = loop
        self.sources = sources
        self.queueKey = queueKey
        self.identity = identity
        self.plan = plan
        self.sink = sink
        self.observer = observer
        self.memory = memory
        self.onIncident = onIncident
        self.onEnd = onEnd
        machine = RelayStateMachine(plan: plan, policy: policy, seed: .random(in: 0...UInt64.max), at: .now)
        buffer = RelayBuffer(start: plan.start, boundaries: Self.boundaries(of: plan, tail: policy.tail))
        verification = RelayVerification(plan, algorithm: identity.algorithm, manifest: manifest, making: layout)
        releasedUpTo = plan.delivery.lowerBound
    }

    private static func boundaries(of plan: RelayPlan, tail: Int64) -> RelayBuffer.Boundaries {
        switch plan.verification {
        case .none: .init()
        case .digest: .init(single: [max(plan.start, plan.end - tail)])
        case .chunks(let layout): .init(single: [plan.delivery.lowerBound, plan.delivery.upperBound], every: layout.chunkSize)
        }
    }

    /// Starts the relay. May be called on any thread. Does nothing if the client has gone.
    package func start() {
        loop.enqueue {
            if case .ended = self.machine.phase { return }
            self.loop.add(self)
            self.setWindow()
            self.loadPages()
            self.handle(.begin)
        }
    }

    /// Ends the relay because the client has gone. May be called on any thread.
    package func clientGone() {
        loop.enqueue { self.handle(.clientGone) }
    }

    /// Stops reading a location. May be called on any thread.
    /// - Parameter atOnce: whether not one more byte of it may be read; else the relay reads it on if no other location can
    ///   serve.
    package func withdraw(_ location: LocationID, atOnce: Bool) {
        loop.enqueue {
            for (index, source) in self.sources.enumerated() where source.location == location {
                self.handle(.withdrawn(candidate: index, atOnce: atOnce))
            }
        }
    }

    func handle(_ event: RelayEvent) {
        settleBytes()
        pending += machine.handle(event, at: loop.now)
        performPending()
    }

    /// Adjusts the window to the memory that is available now.
    func followMemory() {
        guard let memory, memory.follow(holding: machine.held, ahead: machine.policy.batch) else { return }
        setWindow()
    }

    private func setWindow() {
        guard let memory else { return }
        let window = memory.isFull ? machine.policy.window : memory.need.smallestWindow
        if window != machine.window { handle(.window(window)) }
    }

    func performPending() {
        guard !isPerforming else { return }
        isPerforming = true
        while !pending.isEmpty {
            let actions = pending
            pending = []
            for action in actions { perform(action) }
        }
        isPerforming = false
        flush()
    }

    private func perform(_ action: RelayAction) {
        switch action {
        case .start(let attempt, let candidate, let range): start(attempt, candidate, range)
        case .cancel(let id):
            if running?.id == id { cancelRunning() }
        case .pause(let id):
            if let running, running.id == id { running.attempt.pause() }
            running?.meter?.pause(at: loop.now)
        case .resume(let id):
            if let running, running.id == id { running.attempt.resume() }
            running?.meter?.resume(at: loop.now)
        case .limit(let attempt):
            settleBytes()
            limit(attempt)
        case .estimate(let attempt):
            settleBytes()
            pending += machine.handle(.estimated(attempt, observer.estimates(of: sources)), at: loop.now)
            // Now, and not with the pending actions: other actions may bring bytes before, more than are wanted.
            limit(attempt)
        case .offerPermit(let attempt, let offer):
            if let running, running.id == attempt { running.attempt.offerPermit(offer) }
        case .insistOnPermit(let attempt):
            if let running, running.id == attempt { running.attempt.insistOnPermit() }
        case .commit: sink.relayCommitted()
        case .release(let limit): releasedUpTo = limit
        case .compareWholeDigest: compareWholeDigest()
        case .restart:
            buffer.reset(to: plan.start)
            verification.start()
        case .rewind(let offset):
            buffer.rewind(to: offset)
            verification.rewind()
        case .finish: end(.finished)
        case .refuse: end(.refused)
        case .abort(let outcome): end(outcome)
        case .report(let report): note(report)
        }
    }

    private func limit(_ id: AttemptID) {
        if let running, running.id == id { running.attempt.setWindow(machine.bodyWindow(of: id)) }
    }

    private func start(_ id: AttemptID, _ candidate: Int, _ range: ByteRange?) {
        cancelRunning()
        let source = sources[candidate]
        let stallTimeout = machine.stallTimeout(of: candidate)
        let request = AttemptRequest(
            driver: source.driver, connections: source.connections,
            queueKey: machine.isCommitted ? queueKey.resumed() : queueKey,
            read: ReadRequest(path: source.path, range: range, isFresh: source.isFresh || suspects.contains(candidate)),
            timeouts: AttemptTimeouts(
                permit: plan.candidates[candidate].timeout, worker: stallTimeout, inactivity: stallTimeout,
                refusal: Self.refusalTimeout))
        let attempt = OriginAttempt(request, on: loop, sink: self)
        running = Running(id: id, candidate: candidate, attempt: attempt)
        attempt.start()
    }

    /// How long a download waits for the body of a refusal: another location may have the bytes.
    private static let refusalTimeout: Duration = .milliseconds(250)

    /// Starts to measure the running attempt: its request was made, for the first time or with renewed credentials.
    func beginMeter() {
        guard let current = running else { return }
        endMeter()
        let source = sources[current.candidate]
        running?.meter = AttemptMeter(isBounded: plan.candidates[current.candidate].isBounded, at: loop.now)
        observer.attemptRequested(in: source.backend)
    }

    /// Cancels the running attempt.
    func cancelRunning() {
        reportBytes()
        running?.attempt.cancel()
        endMeter()
        running = nil
    }

    func endMeter() {
        guard let current = running, let meter = current.meter else { return }
        running?.meter = nil
        // Complete means that all wanted bytes came, whether the response ended with them or not.
        observer.attemptEnded(
            in: sources[current.candidate].backend,
            meter.measure(isComplete: current.attempt.isComplete, at: loop.now))
    }

    private func compareWholeDigest() {
        let (computed, manifest) = verification.finish()
        summary.digest = computed
        if computed == identity { summary.manifest = manifest }
        pending += machine.handle(.wholeDigestCompared(matched: computed == identity), at: loop.now)
    }

    /// Writes the released bytes: full slabs always, an unfinished one only if the client has no other bytes to take.
    private func flush() {
        if case .ended = machine.phase { return }
        buffer.drop(below: plan.delivery.lowerBound)
        // Bytes before the delivery are taken only to verify their chunk, and must not leave.
        guard releasedUpTo > plan.delivery.lowerBound else { return }
        let slabs = buffer.take(upTo: releasedUpTo, whole: inFlight == 0 || machine.phase == .draining)
        guard !slabs.isEmpty else { return }
        for slab in slabs { loop.slabs.recycle(slab) }
        inFlight += slabs.reduce(0) { $0 + Int64($1.readableBytes) }
        sink.write(slabs) { bytes in
            self.loop.enqueue { self.written(bytes) }
        }
    }

    private func written(_ count: Int64?) {
        guard let count else { return handle(.clientGone) }
        inFlight -= count
        consumed += count
        handle(.consumed(consumed))
    }

    private func end(_ outcome: RelayOutcome) {
        cancelRunning()
        loop.remove(self)
        buffer.reset(to: plan.start)
        memory?.leave()
        summary.outcome = outcome
        summary.delivered = consumed
        summary.extraBytes = machine.extraBytes
        summary.parts = machine.segments.compactMap { segment in
            // Bytes outside the delivery, which were taken to verify whole chunks, count as extra bytes.
            let served = Range(uncheckedBounds: (segment.first, segment.end)).clamped(to: plan.delivery)
            guard !served.isEmpty else { return nil }
            let source = sources[segment.candidate]
            return .init(
                location: source.location, backend: source.backend, first: served.lowerBound, last: served.upperBound - 1)
        }
        onEnd(self)
        sink.relayEnded(summary)
    }

    private func origin(_ candidate: Int) -> RelayIncident.Origin {
        .init(location: sources[candidate].location, backend: sources[candidate].backend)
    }

    /// Counts bytes of the running attempt.
    func count(_ kept: Int64) { unreportedBytes += kept }

    /// Reports the counted bytes to the observer.
    func reportBytes() {
        guard unreportedBytes > 0, let running else { return }
        observer.recordBytes(unreportedBytes, of: sources[running.candidate].backend)
        unreportedBytes = 0
    }

    private func note(_ report: RelayReport) {
        switch report {
        case .failed(let candidate, let failure):
            let source = sources[candidate]
            let isNew = summary.noteFailure(failure, at: source.location, in: source.backend)
            observer.locationFailed(source.location, in: source.backend, failure)
            // Repeated failures for the same reason are reported once.
            if isNew { onIncident(.failed(origin(candidate), failure, offset: machine.accepted)) }
        case .interrupted(let candidate, let failure):
            let source = sources[candidate]
            guard summary.noteFailure(failure, at: source.location, in: source.backend) else { return }
            onIncident(.failed(origin(candidate), failure, offset: machine.accepted))
        case .resumed:
            summary.resumptions += 1
        case .pace(let candidate, let rate):
            observer.recordThroughput(rate, in: sources[candidate].backend)
        case .failover(let failover):
            summary.failovers.append(
                .init(
                    from: sources[failover.from].backend, to: sources[failover.to].backend, offset: failover.offset,
                    isMidStream: failover.isMidStream, gap: failover.gap, cause: failover.cause))
            onIncident(
                .failover(
                    from: origin(failover.from), to: origin(failover.to), offset: failover.offset, gap: failover.gap,
                    failover.cause))
        case .chunkRejected(let start, let contributors):
            suspects.formUnion(contributors)
            summary.noteRejectedChunk(at: start, contributors: contributors.map { sources[$0].location })
            onIncident(.chunkMismatch(offset: start, contributors.map(origin)))
        case .contradicted(let agreeing):
            summary.contradictors = agreeing.map { sources[$0].location }
        case .allVerified(let contributors):
            // A location that also contributed a wrong chunk is not cleared by its right chunks: it must be read alone.
            for contributor in contributors where !suspects.contains(contributor) {
                observer.locationServed(sources[contributor].location)
            }
            guard plan.isWhole, contributors.count == 1, let only = contributors.first, !suspects.contains(only),
                !machine.hasChanged(only)
            else { return }
            summary.verifiedAlone = (sources[only].location, machine.validator(of: only))
        case .digestMismatch(let contributors):
            summary.mismatches.append(contributors.map { sources[$0].location })
            onIncident(.wholeMismatch(contributors.map(origin)))
        }
    }
}
