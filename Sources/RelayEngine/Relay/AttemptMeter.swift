import LocationSelection

/// Measures one attempt. Time in which the client did not read is not counted against the backend.
struct AttemptMeter {
    private var begunAt: ContinuousClock.Instant
    private var firstByteAt: ContinuousClock.Instant?
    private var bytes: Int64 = 0
    /// Since when the attempt is paused, as the state machine decided; nil if it is not.
    private var pausedAt: ContinuousClock.Instant?
    private var paused: Duration = .zero
    private let isBounded: Bool

    /// - Parameter isBounded: whether the bytes are delivered all at once; their time is then the time before that.
    init(isBounded: Bool = false, at now: ContinuousClock.Instant) {
        self.isBounded = isBounded
        begunAt = now
    }

    /// Restarts the clock when the attempt gets its connection or worker, since the wait for one says nothing about the
    /// backend.
    mutating func began(at now: ContinuousClock.Instant) { begunAt = now }

    mutating func took(_ count: Int64, at now: ContinuousClock.Instant) {
        if firstByteAt == nil { firstByteAt = now }
        bytes += count
    }

    mutating func pause(at now: ContinuousClock.Instant) {
        if pausedAt == nil { pausedAt = now }
    }

    mutating func resume(at now: ContinuousClock.Instant) {
        if let pausedAt { paused += now - pausedAt }
        pausedAt = nil
    }

    /// The measurements at the end of the attempt.
    func measure(isComplete: Bool, at now: ContinuousClock.Instant) -> AttemptMeasure {
        let end = pausedAt ?? now
        return AttemptMeasure(
            isComplete: isComplete, firstByte: firstByteAt.map { $0 - begunAt }, bytes: bytes,
            active: firstByteAt.map { max(.zero, end - (isBounded ? begunAt : $0) - paused) } ?? .zero)
    }
}
