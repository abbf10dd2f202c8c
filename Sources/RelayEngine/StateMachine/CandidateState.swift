import BackendKit
import ImageModel
import LocationSelection

/// A relay's knowledge of one location.
struct CandidateState: Sendable, Equatable {
    enum Condition: Sendable, Equatable {
        /// Not tried yet.
        case untried
        /// Tried without a failure so far. If it is not being read, it was left for a faster one or interrupted.
        case good
        /// Answers a Range with the whole object. It is used only when no location with ranges can continue.
        case ignoresRanges
        /// Failed, and may be tried again from that time on. A free return costs no revisit.
        case failed(readyAt: ContinuousClock.Instant, isFree: Bool)
        /// Not usable for this relay.
        case excluded
    }

    private(set) var condition: Condition = .untried
    /// The last failure.
    private(set) var failure: AttemptFailure?
    /// The bytes of its last attempt, if that was interrupted after at least one byte; nil if it was never interrupted, or
    /// failed since.
    private(set) var interruptedAfter: Int64?
    /// The number of interruptions.
    private var interruptions = 0
    /// The number of consecutive times that its object had changed before it delivered a byte.
    private var changes = 0
    /// The validator of its last response.
    private(set) var validator: Validator?
    /// Whether its responses had more than one validator: its contributions may be of two objects.
    private(set) var hasChanged = false
    /// Whether its last response promised that it can continue from any byte.
    private var answersRanges = true
    /// The number of stalls, each of which doubles the timeout.
    private(set) var stalls = 0
    /// Whether reading continues by reading again, and dropping, what was read before: it knows no ranges, and the relay
    /// yielded its permit.
    private(set) var resumesByDiscarding = false
    /// Its throughput when it was left for a faster one.
    private(set) var pace: MeasuredThroughput?

    /// Whether it can be expected to continue from any byte.
    var answersAnyRange: Bool { answersRanges && condition != .ignoresRanges }

    /// How often in a row an object may change without delivering a byte before that counts as a failure. An object that is
    /// rewritten all the time would be read without an end.
    private static let freeChanges = 3

    /// Whether another change of its object is free.
    var mayChangeAgain: Bool { changes < Self.freeChanges }

    // MARK: Responses

    /// Notes that it answered a Range with the whole object.
    mutating func ignoredRange() { condition = .ignoresRanges }

    /// Notes that the location answered with a head that the relay accepts.
    mutating func answered(_ head: ObjectHead, isAnotherObject: Bool) {
        if isAnotherObject { hasChanged = true }
        validator = head.validator
        answersRanges = head.answersRanges
        if condition != .ignoresRanges { condition = .good }
    }

    /// Notes that the relay advanced: a location that stalled has its ordinary timeout again.
    mutating func forgetStalls() { stalls = 0 }

    /// Notes that it was left for a faster one, and its throughput.
    mutating func leftForFaster(at rate: Double, _ now: ContinuousClock.Instant) {
        pace = MeasuredThroughput(rate: rate, at: now)
    }

    /// Notes that reading it continues by dropping what was read before.
    mutating func resumeByDiscarding() { resumesByDiscarding = true }

    // MARK: Failures

    /// Notes why an attempt failed, and how many new bytes the attempt brought. What follows is said by one of the next
    /// functions.
    mutating func failed(_ failure: AttemptFailure, gained: Int64) {
        self.failure = failure
        if failure.reason == .stall { stalls += 1 }
        if gained > 0 { changes = 0 }
    }

    /// An attempt brought new bytes before it broke, so the location serves: coming back to it neither waits nor costs a
    /// revisit.
    /// - Returns: whether it is the first interruption.
    mutating func interrupted(by failure: AttemptFailure, gained: Int64, at now: ContinuousClock.Instant) -> Bool {
        interruptedAfter = gained
        interruptions += 1
        // A stall has cost time already: a location that failed before and is ready again is tried first.
        if failure.reason == .stall { condition = .failed(readyAt: now, isFree: true) }
        return interruptions == 1
    }

    /// Notes that the location's object has changed. The location may be tried again from `readyAt` on, after the locations
    /// whose object has not changed, and without the cost of a revisit.
    mutating func objectChanged(readyAt: ContinuousClock.Instant, gained: Int64) {
        if gained == 0 { changes += 1 }
        interruptedAfter = nil
        hasChanged = true
        condition = .failed(readyAt: readyAt, isFree: true)
    }

    /// Notes that the location knows no ranges, and remains usable as such.
    mutating func remainWithoutRanges() { interruptedAfter = nil }

    /// Notes that the location may be tried again from `readyAt` on, at the cost of a revisit.
    mutating func retry(at readyAt: ContinuousClock.Instant) {
        interruptedAfter = nil
        condition = .failed(readyAt: readyAt, isFree: false)
    }

    /// Notes that the location is not used again in this relay.
    mutating func exclude() {
        interruptedAfter = nil
        condition = .excluded
    }

    /// Notes that the location contributed bytes that do not have their digest.
    /// - Parameter isCertain: whether the bytes are wrong by its fault alone, so that it is not used again.
    mutating func mismatched(_ failure: AttemptFailure, isCertain: Bool, at now: ContinuousClock.Instant) {
        self.failure = failure
        // One that was withdrawn in the meantime stays excluded.
        guard condition != .excluded else { return }
        condition = isCertain ? .excluded : .failed(readyAt: now, isFree: false)
    }

    /// Notes that the location may not serve any more.
    mutating func withdraw(_ failure: AttemptFailure) {
        self.failure = failure
        condition = .excluded
    }

    /// Notes that no request was sent to the location before the relay's time was over.
    mutating func starved(_ failure: AttemptFailure) { self.failure = failure }
}
