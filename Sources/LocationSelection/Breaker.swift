/// Whether a backend is worth being asked: it opens after failures in a row, and closes when one real read has worked again.
///
/// An open breaker forbids nothing. It puts the backend's locations behind all others, so that no download waits for a dead
/// server while another one lives, and the last location of a representation is still tried.
package struct Breaker: Sendable, Equatable {
    /// When a breaker opens, and for how long.
    package struct Limits: Sendable, Equatable {
        /// The failures in a row that open it; at least 1.
        package var failures = 5
        /// How long it is open the first time; each probe that fails adds as much.
        package var opening: Duration = .seconds(30)
        /// The longest it is open.
        package var longestOpening: Duration = .seconds(300)
        /// How long a probe may take before another one may start.
        package var probeTimeout: Duration = .seconds(60)

        /// The defaults.
        package init() {}
    }

    /// What a breaker is.
    package enum State: String, Sendable, Equatable, CaseIterable {
        /// Nothing is wrong.
        case closed
        /// The backend is asked last.
        case open
        /// A probe runs, which decides.
        case halfOpen = "half-open"
    }

    private enum Phase: Sendable, Equatable {
        case closed(failures: Int)
        case open(times: Int, until: ContinuousClock.Instant)
        case halfOpen(times: Int, until: ContinuousClock.Instant)
    }

    var limits: Limits
    /// Whether it was opened for what answers contain: then no answer that merely comes closes it.
    private var isTripped = false
    private var phase = Phase.closed(failures: 0)

    /// A closed breaker.
    package init(limits: Limits = Limits()) { self.limits = limits }

    /// What it is.
    package var state: State {
        switch phase {
        case .closed: .closed
        case .open: .open
        case .halfOpen: .halfOpen
        }
    }

    /// The failures in a row; 0 once it is open.
    package var failures: Int { if case .closed(let failures) = phase { failures } else { 0 } }

    /// When a probe is due; nil when it is not open.
    package var probeDueAt: ContinuousClock.Instant? { if case .open(_, let until) = phase { until } else { nil } }

    /// A download from the backend brought all that it was asked for.
    package mutating func recordSuccess() {
        if !isTripped { phase = .closed(failures: 0) }
    }

    /// A probe worked. One that began before the breaker was tripped says nothing about that.
    package mutating func recordProbeSuccess() {
        guard case .halfOpen = phase else { return }
        isTripped = false
        phase = .closed(failures: 0)
    }

    /// The backend failed. What fails while it is open changes nothing: nobody expected better.
    package mutating func recordFailure(at now: ContinuousClock.Instant, using random: inout some RandomNumberGenerator) {
        switch phase {
        case .closed(let failures) where failures + 1 < limits.failures: phase = .closed(failures: failures + 1)
        case .closed: open(times: 1, at: now, &random)
        case .halfOpen(let times, _): open(times: times + 1, at: now, &random)
        case .open: break
        }
    }

    /// Opens it for what the backend's answers contain. From then on only a probe closes it.
    package mutating func trip(at now: ContinuousClock.Instant, using random: inout some RandomNumberGenerator) {
        isTripped = true
        switch phase {
        case .closed: open(times: 1, at: now, &random)
        case .halfOpen(let times, _): open(times: times + 1, at: now, &random)
        case .open: break
        }
    }

    /// Takes on the probe that is due, if there is one.
    /// - Returns: whether the caller is the one to try.
    package mutating func beginProbe(at now: ContinuousClock.Instant) -> Bool {
        switch phase {
        case .open(let times, let until) where until <= now, .halfOpen(let times, let until) where until <= now:
            phase = .halfOpen(times: times, until: now + limits.probeTimeout)
            return true
        case .closed, .open, .halfOpen: return false
        }
    }

    /// Jitter of a fifth, so that many processes do not come back to a server in the same moment.
    private mutating func open(
        times: Int, at now: ContinuousClock.Instant, _ random: inout some RandomNumberGenerator
    ) {
        let span = min(limits.longestOpening, limits.opening * times) * Double.random(in: 0.8..<1, using: &random)
        phase = .open(times: times, until: now + span)
    }
}
