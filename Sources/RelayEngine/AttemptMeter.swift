import LocationSelection

/// Takes the time of one attempt. The time in which the client was the one not reading is not the backend's.
struct AttemptMeter {
    private var begunAt: ContinuousClock.Instant
    private var firstByteAt: ContinuousClock.Instant?
    private var bytes: Int64 = 0
    private var pausedAt: ContinuousClock.Instant?
    private var paused: Duration = .zero
    private let comesWhole: Bool

    /// - Parameter comesWhole: whether its bytes are handed over once all are there; their time is the one before.
    init(comesWhole: Bool = false, at now: ContinuousClock.Instant) {
        self.comesWhole = comesWhole
        begunAt = now
    }

    /// The attempt got its connection or worker; waiting for one says nothing about the backend.
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

    /// What it comes to when the attempt is over.
    func measure(isComplete: Bool, at now: ContinuousClock.Instant) -> AttemptMeasure {
        let end = pausedAt ?? now
        return AttemptMeasure(
            isComplete: isComplete, firstByte: firstByteAt.map { $0 - begunAt }, bytes: bytes,
            active: firstByteAt.map { max(.zero, end - (comesWhole ? begunAt : $0) - paused) } ?? .zero)
    }
}
