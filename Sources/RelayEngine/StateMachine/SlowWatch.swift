import LocationSelection

/// Measures the throughput of the location that a relay reads, over consecutive attempts.
struct SlowWatch: Sendable, Equatable {
    private let rule: SlowLocationRule
    private var pace: ThroughputWindow
    private var candidate: Int?
    private var attempt: AttemptID?
    private var received: Int64 = 0
    /// The time of the last failover to a faster location.
    private var lastFailover: ContinuousClock.Instant?
    /// The throughput of the last complete window in bytes per second, until a decision uses it.
    private var rate: Double?

    init(_ rule: SlowLocationRule) {
        self.rule = rule
        pace = ThroughputWindow(window: rule.window)
    }

    /// Updates the measurement after each event.
    /// - Parameter isBounded: whether the bytes are delivered all at once, so that the time before them counts as theirs.
    /// - Returns: bytes per second if a window is complete.
    mutating func observe(
        _ running: RelayAttempt?, isBounded: Bool, at now: ContinuousClock.Instant
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
        // The time to first byte is measured separately.
        let isActive = !running.isPaused && (isBounded ? running.hasBegun : running.received > 0)
        guard let measured = pace.observe(count, isActive: isActive, at: now) else { return nil }
        rate = measured
        return measured
    }

    private mutating func rest(at now: ContinuousClock.Instant) {
        _ = pace.observe(0, isActive: false, at: now)
        attempt = nil
        rate = nil
    }

    /// Whether a failover to a faster location is permitted now.
    func mayFailOver(at now: ContinuousClock.Instant) -> Bool {
        rule.factor > 0 && (lastFailover.map { now - $0 >= rule.dwell } ?? true)
    }

    /// Returns the rate of the last window, once per window.
    mutating func takeRate() -> Double? {
        defer { rate = nil }
        return rate
    }

    mutating func failedOver(at now: ContinuousClock.Instant) { lastFailover = now }
}
