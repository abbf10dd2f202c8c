/// A circuit breaker of a backend. It opens after consecutive failures, and closes after a real read has succeeded.
///
/// An open breaker does not forbid requests. It ranks the backend's locations last, so that no download waits for a dead server
/// while another one is available. The only location of a representation is still tried.
package struct Breaker: Sendable, Equatable {
    /// The limits that determine when a breaker opens, and for how long.
    package struct Limits: Sendable, Equatable {
        /// The number of consecutive failures that open it; at least 1.
        package var failures = 5
        /// The first opening time; each failed probe extends it by as much.
        package var opening: Duration = .seconds(30)
        /// The longest opening time.
        package var longestOpening: Duration = .seconds(300)
        /// The time limit of a probe, after which another one may start.
        package var probeTimeout: Duration = .seconds(60)

        package init() {}
    }

    /// The state of a breaker; its raw values are used in metrics and the API.
    package enum State: String, Sendable, Equatable, CaseIterable {
        /// Requests are ranked normally.
        case closed
        /// The backend is ranked last.
        case open
        /// A probe is running, which decides between closed and open.
        case halfOpen = "half-open"
    }

    private enum Phase: Sendable, Equatable {
        case closed(failures: Int)
        case open(times: Int, until: ContinuousClock.Instant)
        case halfOpen(times: Int, until: ContinuousClock.Instant)
    }

    var limits: Limits
    /// Whether it was opened because of wrong content. A response that merely arrives then does not close it.
    private var isTripped = false
    private var phase = Phase.closed(failures: 0)

    package init(limits: Limits = Limits()) { self.limits = limits }

    package var state: State {
        switch phase {
        case .closed: .closed
        case .open: .open
        case .halfOpen: .halfOpen
        }
    }

    /// The number of consecutive failures; 0 once it is open.
    package var failures: Int { if case .closed(let failures) = phase { failures } else { 0 } }

    /// The time at which a probe is due; nil if the breaker is not open.
    package var probeDueAt: ContinuousClock.Instant? { if case .open(_, let until) = phase { until } else { nil } }

    /// Records that a download received everything it requested from the backend.
    package mutating func recordSuccess() {
        if !isTripped { phase = .closed(failures: 0) }
    }

    /// Records a successful probe. A probe that began before the breaker was tripped does not count.
    package mutating func recordProbeSuccess() {
        guard case .halfOpen = phase else { return }
        isTripped = false
        phase = .closed(failures: 0)
    }

    /// Records a failure. Failures while the breaker is open change nothing, since they are expected.
    package mutating func recordFailure(at now: ContinuousClock.Instant, using random: inout some RandomNumberGenerator) {
        switch phase {
        case .closed(let failures) where failures + 1 < limits.failures: phase = .closed(failures: failures + 1)
        case .closed: open(times: 1, at: now, &random)
        case .halfOpen(let times, _): open(times: times + 1, at: now, &random)
        case .open: break
        }
    }

    /// Opens the breaker because of wrong content. Only a probe closes it then.
    package mutating func trip(at now: ContinuousClock.Instant, using random: inout some RandomNumberGenerator) {
        isTripped = true
        switch phase {
        case .closed: open(times: 1, at: now, &random)
        case .halfOpen(let times, _): open(times: times + 1, at: now, &random)
        case .open: break
        }
    }

    /// Claims the probe that is due, if there is one.
    /// - Returns: whether the caller is to carry it out.
    package mutating func beginProbe(at now: ContinuousClock.Instant) -> Bool {
        switch phase {
        case .open(let times, let until) where until <= now, .halfOpen(let times, let until) where until <= now:
            phase = .halfOpen(times: times, until: now + limits.probeTimeout)
            return true
        case .closed, .open, .halfOpen: return false
        }
    }

    /// Opens with a jitter of one fifth, so that many processes do not return to a server at the same moment.
    private mutating func open(
        times: Int, at now: ContinuousClock.Instant, _ random: inout some RandomNumberGenerator
    ) {
        let span = min(limits.longestOpening, limits.opening * times) * Double.random(in: 0.8..<1, using: &random)
        phase = .open(times: times, until: now + span)
    }
}
