import BackendKit
import ImageModel
import LocationSelection

/// A relay's knowledge of one location.
struct CandidateState: Sendable, Equatable {
    enum Standing: Sendable, Equatable {
        /// Not tried yet.
        case untried
        /// Tried without a failure so far. If it is not being read, it was left for a faster one.
        case good
        /// Answers a Range with the whole object: the last resort.
        case ignoresRanges
        /// Failed, and may be retried from that time on.
        case failed(readyAt: ContinuousClock.Instant)
        /// Not usable for this relay.
        case excluded
    }

    var standing: Standing = .untried
    /// The last failure.
    var failure: AttemptFailure?
    /// The bytes of its last attempt, if that was interrupted after at least one byte; nil if it was never interrupted, or
    /// failed since.
    var interruptedAfter: Int64?
    /// The number of interruptions.
    var interruptions = 0
    /// Whether a return to it costs no revisit.
    var isRevisitFree = false
    /// The number of consecutive times that its object had changed before it delivered a byte.
    var changes = 0
    /// The validator of its first response.
    var validator: Validator?
    /// Whether it sent another validator later: its contributions may be of two objects.
    var hasChanged = false
    /// Whether it can be expected to continue from any byte, by its last response.
    var answersRanges = true
    /// The number of stalls, each of which doubles the timeout.
    var stalls = 0
    /// Whether it knows no ranges and was left for another download all the same: what was read before is read again and dropped.
    var resumesByDiscarding = false
    /// Its throughput when it was left for a faster one.
    var pace: MeasuredThroughput?
}
