package import BackendKit
package import ImageModel
import LocationSelection
package import OriginRead

/// All decisions of a relay, as a value: events in, actions out. It does no I/O and reads no clock.
///
/// It guarantees that byte k that leaves is byte k of the representation, that no byte is repeated or missing, and that a relay
/// ends in success only when its bytes are verified.
package struct RelayStateMachine: Sendable {
    /// What a relay is doing. A case carries what is valid only in it.
    enum Phase: Sendable, Equatable {
        /// Not started. Goes to: attempting, ended.
        case idle
        /// An attempt is running. Goes to: deciding, awaitingRoom, verifying, draining, ended.
        case attempting(RelayAttempt)
        /// The attempt failed, and the event that says so is still being handled. No event finds the relay in this phase.
        /// Goes to: attempting, awaitingRoom, waiting, ended.
        case deciding
        /// The next read waits until the client has taken more. Goes to: attempting, waiting, ended.
        case awaitingRoom(candidate: Int)
        /// Waits before it returns to a location that failed. Goes to: attempting, waiting, ended.
        case waiting(candidate: Int, until: ContinuousClock.Instant)
        /// All bytes are there, and their digests are being compared. Goes to: draining, attempting, waiting, ended.
        case verifying
        /// All bytes may leave, and the client has not taken them all yet. Goes to: ended.
        case draining
        /// Over. Final.
        case ended(RelayOutcome)

        /// Whether the relay may go from this phase to the next one.
        func leads(to next: Phase) -> Bool {
            switch (self, next) {
            case (.ended, _): false
            case (_, .ended): true
            case (.idle, .attempting): true
            case (.attempting, .deciding), (.attempting, .awaitingRoom): true
            case (.attempting, .verifying), (.attempting, .draining): true
            case (.deciding, .attempting), (.deciding, .awaitingRoom), (.deciding, .waiting): true
            case (.awaitingRoom, .attempting), (.awaitingRoom, .waiting): true
            case (.waiting, .attempting), (.waiting, .waiting): true
            case (.verifying, .draining), (.verifying, .attempting), (.verifying, .waiting): true
            default: false
            }
        }
    }

    let plan: RelayPlan
    let policy: RelayPolicy
    /// How many bytes may wait for the client, beside the unverified ones: the policy's value, or less where memory is short.
    private(set) var window: Int64
    private(set) var phase: Phase = .idle
    var progress: RelayProgress
    var candidates: [CandidateState]
    var failover = PendingFailover()
    var rejections = ChunkRejections()
    var budget: RevisitBudget
    var backoff: Backoff
    var random: SplitMix64
    /// Measures how fast the running attempt brings its bytes.
    var slow: SlowWatch
    private var attempts = 0

    /// A relay that has not started.
    /// - Parameter seed: for the random waits; the same seed and events give the same actions.
    package init(plan: RelayPlan, policy: RelayPolicy, seed: UInt64, at now: ContinuousClock.Instant) {
        self.plan = plan
        self.policy = policy
        window = policy.window
        progress = RelayProgress(plan, at: now)
        candidates = plan.candidates.map { _ in CandidateState() }
        budget = RevisitBudget(limit: policy.revisits, refundAfter: policy.refundAfter)
        backoff = Backoff(base: policy.backoff, limit: policy.backoffLimit)
        random = SplitMix64(seed: seed)
        slow = SlowWatch(policy.slow)
    }

    // MARK: Events

    /// Handles one event.
    /// - Returns: what to do now, in this order.
    package mutating func handle(_ event: RelayEvent, at now: ContinuousClock.Instant) -> [RelayAction] {
        if case .ended = phase { return [] }
        return react(to: event, at: now) + watchPace(at: now)
    }

    private mutating func react(to event: RelayEvent, at now: ContinuousClock.Instant) -> [RelayAction] {
        switch event {
        case .begin:
            guard phase == .idle else { return [] }
            return beginNextAttempt(at: now)
        case .permitted(let id):
            return permitted(id, at: now)
        case .requested(let id):
            update(id) { $0.requested(at: now) }
            return []
        case .began(let id):
            update(id) { $0.began() }
            return []
        case .head(let id, let head):
            return acceptHead(head, of: id, at: now)
        case .bytes(let id, let dropped, let kept):
            return acceptBytes(dropped: dropped, kept: kept, of: id, at: now)
        case .completed(let id):
            return attemptCompleted(id, at: now)
        case .failed(let id, let failure):
            guard attempt?.id == id else { return [] }
            return fail(failure, at: now)
        case .wholeDigestCompared(let matched):
            guard phase == .verifying, plan.verification == .digest else { return [] }
            return matched ? allVerified(at: now) : digestMismatch(at: now)
        case .chunksVerified(let offset):
            return chunksVerified(upTo: offset, at: now)
        case .chunkRejected(let start, let digest):
            return chunkRejected(start, digest, at: now)
        case .manifestUnreadable:
            return giveUp()
        case .consumed(let count):
            return consume(count, at: now)
        case .clientGone:
            return end(.clientGone)
        case .withdrawn(let candidate, let atOnce):
            return withdraw(candidate, atOnce: atOnce, at: now)
        case .estimated(let id, let estimates):
            return estimated(id, estimates, at: now)
        case .window(let bytes):
            return setWindow(bytes, at: now)
        case .permitWanted(let id):
            return yieldPermit(id, at: now)
        case .tick:
            return offerPermit(at: now) + tick(at: now)
        }
    }

    /// Changes the window. Bytes beyond a smaller one stay until the client has taken them.
    private mutating func setWindow(_ bytes: Int64, at now: ContinuousClock.Instant) -> [RelayAction] {
        let hasGrown = bytes > window
        window = bytes
        guard hasGrown else { return [] }
        return resumeIfRoom(at: now) + continueIfRoom(at: now)
    }

    // MARK: Phases

    /// The running attempt.
    var attempt: RelayAttempt? {
        if case .attempting(let attempt) = phase { attempt } else { nil }
    }

    /// Enters another phase; the phase that is left takes what it carries with it.
    mutating func enter(_ next: Phase) {
        assert(phase.leads(to: next), "a relay can't go from \(phase) to \(next)")
        phase = next
    }

    /// Changes the running attempt.
    /// - Returns: what the change returns; nil if the running attempt is not this one.
    @discardableResult
    mutating func update<Result>(_ id: AttemptID, _ change: (inout RelayAttempt) -> Result) -> Result? {
        guard case .attempting(var attempt) = phase, attempt.id == id else { return nil }
        defer { phase = .attempting(attempt) }
        return change(&attempt)
    }

    /// Begins an attempt at the next bytes.
    mutating func begin(_ candidate: Int, mayDiscard: Bool = false, at now: ContinuousClock.Instant) -> [RelayAction] {
        let rest = ByteRange(first: accepted, last: plan.end - 1)
        let range = plan.candidates[candidate].maximumRange.flatMap { rest?.prefix($0) } ?? rest
        let id = AttemptID(number: attempts)
        attempts += 1
        enter(
            .attempting(
                RelayAttempt(
                    id: id, candidate: candidate, start: accepted, end: range.map { $0.last + 1 } ?? plan.end, range: range,
                    mayDiscard: mayDiscard, needsPermit: plan.candidates[candidate].timeout != nil, at: now)))
        return [.start(id, candidate: candidate, range: range)]
    }

    /// Ends the relay, and the running attempt with it.
    mutating func end(_ outcome: RelayOutcome) -> [RelayAction] {
        let cancellation: [RelayAction] = attempt.map { [.cancel($0.id)] } ?? []
        enter(.ended(outcome))
        switch outcome {
        case .finished: return cancellation + [.finish]
        case .refused: return cancellation + [.refuse]
        case .exhausted, .digestMismatch, .clientGone, .clientStalled: return cancellation + [.abort(outcome)]
        }
    }

    // MARK: What others may read

    /// The offset of the next byte to take.
    package var accepted: Int64 { progress.accepted }

    /// The offset below which bytes may leave.
    package var released: Int64 { progress.released }

    /// The number of bytes taken that the client has not taken yet.
    var held: Int64 { progress.held }

    /// Whether the head of the response may have left: the client is in the middle of its download.
    package var isCommitted: Bool { progress.isCommitted }

    /// The number of bytes fetched beyond those delivered.
    package var extraBytes: Int64 { progress.extraBytes }

    /// The locations that contributed the bytes, in order.
    package var segments: [Segment] { progress.segments }

    /// How often the relay continued from another location.
    package var failovers: Int { failover.count }

    /// What to do with the body of an attempt; nil if its head was rejected or it is not the running one.
    package func bodyWindow(of id: AttemptID) -> BodyWindow? {
        attempt?.id == id ? attempt?.bodyWindow : nil
    }

    /// The validator of a candidate's last response; nil if it never answered or sent none.
    package func validator(of candidate: Int) -> Validator? { candidates[candidate].validator }

    /// Whether a candidate's responses had more than one validator: its contributions may be of two objects.
    package func hasChanged(_ candidate: Int) -> Bool { candidates[candidate].hasChanged }

    /// Why each candidate that was asked could not serve, by index.
    package var failures: [(candidate: Int, failure: AttemptFailure)] {
        candidates.enumerated().compactMap { index, state in state.failure.map { (index, $0) } }
    }
}

/// A failover that has begun, until the first byte comes from the other location.
struct PendingFailover: Sendable {
    /// The number of completed failovers.
    private(set) var count = 0
    /// The location that was left, and why; nil if none was left.
    private(set) var origin: (candidate: Int, cause: AttemptFailure)?

    /// Notes why a location is left. If several are left before a byte comes, the first one counts.
    mutating func begin(from candidate: Int, _ cause: AttemptFailure) {
        if origin == nil { origin = (candidate, cause) }
    }

    /// Notes that bytes come from a location.
    /// - Returns: which location was left, and why, if it was another one.
    mutating func complete(at candidate: Int) -> (candidate: Int, cause: AttemptFailure)? {
        guard let left = origin else { return nil }
        origin = nil
        guard left.candidate != candidate else { return nil }
        count += 1
        return left
    }
}
