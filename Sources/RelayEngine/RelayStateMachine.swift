package import BackendKit
package import ImageModel
import LocationSelection
package import OriginRead

/// All decisions of a relay, as a value: events in, actions out. It does no I/O and reads no clock.
///
/// The promise it keeps: byte k that leaves is byte k of the representation, nothing twice, nothing missing, and success only
/// when verified.
package struct RelayStateMachine: Sendable {
    /// Where a relay stands.
    package enum Phase: Sendable, Equatable {
        /// Not started. Goes to: attempting, ended.
        case idle
        /// An attempt is running. Goes to: attempting, awaitingRoom, waiting, verifying, draining, ended.
        case attempting
        /// The next bounded read waits until the client has taken more. Goes to: attempting, ended.
        case awaitingRoom(candidate: Int)
        /// Waits before it comes back to a location that failed. Goes to: attempting, ended.
        case waiting(candidate: Int, until: ContinuousClock.Instant)
        /// All bytes are there, their digest is being compared. Goes to: draining, attempting, waiting, ended.
        case verifying
        /// Everything may leave; the client has yet to take it. Goes to: ended.
        case draining
        /// Over. Goes nowhere.
        case ended(RelayOutcome)
    }

    /// The attempt that is running.
    struct Attempt: Sendable, Equatable {
        /// How far it is on its way to the bytes.
        enum Stage: Sendable, Equatable {
            /// Waits for a permit.
            case awaitingPermit
            /// Waits for credentials.
            case awaitingCredentials
            /// The request is made.
            case requested
        }

        let id: AttemptID
        let candidate: Int
        let start: Int64
        /// Behind the last byte that it can bring: of its range, or less where the answer is shorter than asked.
        var offered: Int64
        /// Behind the last byte that is wanted of it: what it can bring, or less once it is to be left.
        var end: Int64
        /// What it asks for; nil for all without a Range.
        let range: ByteRange?
        /// Whether an answer without ranges may be used by dropping what comes before `start`.
        let mayDiscard: Bool
        var stage: Stage
        /// Since when it is there.
        var stageSince: ContinuousClock.Instant
        var hasBegun = false
        /// What to do with the body; nil until a good head came.
        var bodyWindow: BodyWindow?
        /// Whether the body is announced to end where the attempt does.
        var endsExactly = false
        var received: Int64 = 0
        /// How many of these lie beyond all that the relay had taken before.
        var gained: Int64 = 0
        var isPaused = false
        var wasPaused = false
        /// Where the relay goes at its end, when it is left for being slow.
        var departure: Departure?
        /// Since when it has its permit; nil where it has none or needs none.
        var permittedAt: ContinuousClock.Instant?
        /// On what terms the permit may be asked back, as far as was said.
        var offer: ConnectionOffer?
        /// Whether the permit was asked back: the attempt ends with the chunk.
        var givesWay = false
    }

    let plan: RelayPlan
    let policy: RelayPolicy
    /// How many bytes may wait for the client, beside what is not verified yet: the policy's, or less where memory is short.
    var window: Int64
    /// Where it stands.
    package internal(set) var phase: Phase = .idle
    var attempt: Attempt?
    var candidates: [CandidateState]
    var budget: RevisitBudget
    var backoff: Backoff
    var random: SplitMix64
    var nextAttempt = 0
    /// The offset of the next byte to take.
    package internal(set) var accepted: Int64
    /// Everything below is verified by its chunks' digests.
    package internal(set) var verified: Int64
    /// Everything below may leave.
    package internal(set) var released: Int64
    /// The largest offset that was ever taken up to: taking the same bytes again is no progress.
    var reached: Int64
    /// How often the next chunk was turned down.
    var chunkRejections = 0
    /// Who alone gave the next chunk with another digest, and which, in order.
    var rejections: [(candidate: Int, digest: [UInt8])] = []
    /// Bytes that the client has taken.
    var consumed: Int64 = 0
    /// Whether the head of the response may have left: the client is in the middle of its download.
    package internal(set) var isCommitted = false
    /// Whether the permit was given up for another download, and no byte has come since.
    var hasGivenWay = false
    var isVerified = false
    /// How often a whole was taken and did not match.
    var mismatches = 0
    /// Bytes fetched beyond those delivered.
    package internal(set) var extraBytes: Int64 = 0
    /// Who contributed what, in order.
    package internal(set) var segments: [Segment] = []
    /// How often the relay moved to another location and went on.
    package internal(set) var failovers = 0
    /// The move under way: where from, and why.
    var move: (from: Int, cause: AttemptFailure)?
    /// How fast what runs brings its bytes.
    var slow: SlowWatch
    var lastProgress: ContinuousClock.Instant
    var lastConsumed: ContinuousClock.Instant

    /// A relay that has not started.
    /// - Parameter seed: for the random waits; the same seed and events give the same actions.
    package init(plan: RelayPlan, policy: RelayPolicy, seed: UInt64, at now: ContinuousClock.Instant) {
        self.plan = plan
        self.policy = policy
        window = policy.window
        candidates = plan.candidates.map { _ in CandidateState() }
        budget = RevisitBudget(limit: policy.revisits, refundAfter: policy.refundAfter)
        backoff = Backoff(base: policy.backoff, limit: policy.backoffLimit)
        random = SplitMix64(seed: seed)
        accepted = plan.start
        verified = plan.start
        released = plan.delivery.lowerBound
        reached = plan.start
        slow = SlowWatch(policy.slow)
        lastProgress = now
        lastConsumed = now
    }

    /// Takes one event in.
    /// - Returns: what to do now, in this order.
    package mutating func handle(_ event: RelayEvent, at now: ContinuousClock.Instant) -> [RelayAction] {
        if case .ended = phase { return [] }
        return react(to: event, at: now) + watchPace(at: now)
    }

    private mutating func react(to event: RelayEvent, at now: ContinuousClock.Instant) -> [RelayAction] {
        switch event {
        case .begin:
            guard phase == .idle else { return [] }
            return moveOn(at: now)
        case .permitted(let id):
            return permitted(id, at: now)
        case .requested(let id):
            return requested(id, at: now)
        case .began(let id):
            return began(id, at: now)
        case .head(let id, let head):
            return take(head, of: id, at: now)
        case .bytes(let id, let dropped, let kept):
            return take(dropped: dropped, kept: kept, of: id, at: now)
        case .completed(let id):
            return complete(id, at: now)
        case .failed(let id, let failure):
            guard attempt?.id == id else { return [] }
            return fail(failure, at: now)
        case .verification(let matched):
            guard phase == .verifying, plan.verification == .digest else { return [] }
            return matched ? verified(at: now) : digestMismatch(at: now)
        case .verified(let offset):
            return verified(upTo: offset, at: now)
        case .rejected(let start, let digest):
            return rejected(start, digest, at: now)
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
            return giveWay(id, at: now)
        case .tick:
            return offerPermit(at: now) + tick(at: now)
        }
    }

    /// What to do with the body of an attempt; nil when its head was turned down or it is not the running one.
    package func bodyWindow(of id: AttemptID) -> BodyWindow? {
        attempt?.id == id ? attempt?.bodyWindow : nil
    }

    /// What a candidate's object was pinned to; nil if it never answered or named nothing.
    package func validator(of candidate: Int) -> Validator? { candidates[candidate].validator }

    /// Whether a candidate's answers named more than one validator: what it contributed may be of two objects.
    package func hasChanged(_ candidate: Int) -> Bool { candidates[candidate].hasChanged }

    /// Why each candidate that was asked could not serve, by index.
    package var failures: [(candidate: Int, failure: AttemptFailure)] {
        candidates.enumerated().compactMap { index, state in state.failure.map { (index, $0) } }
    }
}
