import BackendKit
import ImageModel
import LocationSelection

/// What a relay has computed of one location.
struct CandidateState: Sendable, Equatable {
    enum Standing: Sendable, Equatable {
        /// Not asked yet.
        case untried
        /// Asked, and nothing is wrong with it so far. One that is not being read was left for a faster one.
        case good
        /// Answers a Range with everything: the last resort.
        case ignoresRanges
        /// Failed, but may do better from that time on.
        case failed(readyAt: ContinuousClock.Instant)
        /// Of no use to this relay any more.
        case excluded
    }

    var standing: Standing = .untried
    /// Why it failed last.
    var failure: AttemptFailure?
    /// What its last attempt brought, if that was interrupted after it had brought something; nil for one that was never
    /// interrupted, or that failed since.
    var interruptedAfter: Int64?
    /// How often it was interrupted.
    var interruptions = 0
    /// Whether coming back to it costs no revisit.
    var isRevisitFree = false
    /// How often in a row its object was another one before it brought a byte.
    var changes = 0
    /// What its object was pinned to when it first answered.
    var validator: Validator?
    /// Whether it answered with another validator later: what it contributed may be of two objects.
    var hasChanged = false
    /// Whether it can be expected to go on from any byte: what it answered last says so.
    var answersRanges = true
    /// How often it stalled: each time doubles the timeout.
    var stalls = 0
    /// Whether its credentials were refused and renewed since its last byte.
    var hasRenewed = false
    /// Whether it knows no ranges and was left for another download all the same: what was read before is read again and dropped.
    var resumesByDiscarding = false
    /// How fast it was when it was left for a faster one.
    var pace: MeasuredThroughput?
}
