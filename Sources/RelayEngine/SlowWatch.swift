import LocationSelection

/// Follows how fast the location that a relay reads brings its bytes, over one attempt after the other.
struct SlowWatch: Sendable, Equatable {
    private let rule: SlowLocationRule
    private var pace: ThroughputWindow
    private var candidate: Int?
    private var attempt: AttemptID?
    private var received: Int64 = 0
    /// When a location was last left for a faster one.
    private var movedAt: ContinuousClock.Instant?
    /// Bytes a second of the window that is over, until it is judged.
    private var rate: Double?

    init(_ rule: SlowLocationRule) {
        self.rule = rule
        pace = ThroughputWindow(window: rule.window)
    }

    /// Looks at what runs after each event.
    /// - Parameter comesWhole: whether its bytes are handed over once all are there, so that the time before them is theirs.
    /// - Returns: bytes a second, when a window is over.
    mutating func observe(
        _ running: RelayStateMachine.Attempt?, comesWhole: Bool, at now: ContinuousClock.Instant
    ) -> Double? {
        guard let running else {
            rest(at: now)
            return nil
        }
        if running.candidate != candidate { pace = ThroughputWindow(window: rule.window) }
        if running.id != attempt {
            received = 0
            rate = nil
        }
        candidate = running.candidate
        attempt = running.id
        let count = running.received - received
        received = running.received
        // How long the first byte takes is another measure.
        let isActive = !running.isPaused && (comesWhole ? running.hasBegun : running.received > 0)
        guard let measured = pace.observe(count, isActive: isActive, at: now) else { return nil }
        rate = measured
        return measured
    }

    private mutating func rest(at now: ContinuousClock.Instant) {
        _ = pace.observe(0, isActive: false, at: now)
        attempt = nil
        rate = nil
    }

    /// Whether a move may be thought of now.
    func mayMove(at now: ContinuousClock.Instant) -> Bool {
        rule.factor > 0 && (movedAt.map { now - $0 >= rule.dwell } ?? true)
    }

    /// The rate that is to be judged; once for each window.
    mutating func takeRate() -> Double? {
        defer { rate = nil }
        return rate
    }

    mutating func moved(at now: ContinuousClock.Instant) { movedAt = now }
}
