/// A circuit breaker of a backend. It opens after consecutive failures, and closes after a real read has succeeded.
///
/// An open breaker does not forbid requests. It ranks the backend's locations behind the others, so that no download waits for a
/// dead server while another one is available. The only location of a representation is still tried.
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
        /// The backend is ranked behind the others.
        case open
        /// A probe is running, which decides between closed and open.
        case halfOpen = "half-open"
    }

    private enum Phase: Sendable, Equatable {
        /// The number of consecutive failures. Goes to: open.
        case closed(failures: Int)
        /// No request is preferred until the probe is due. Goes to: halfOpen, closed.
        case open(Opening)
        /// A probe runs, and another one may start at `until`. Goes to: closed, open.
        case halfOpen(Opening)
    }

    private struct Opening: Sendable, Equatable {
        /// The number of times that it opened in a row.
        let times: Int
        var until: ContinuousClock.Instant
        /// Whether it was opened because of wrong content. A response that merely arrives then does not close it.
        var isTripped: Bool
    }

    var limits: Limits
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
    package var probeDueAt: ContinuousClock.Instant? { if case .open(let opening) = phase { opening.until } else { nil } }

    /// Records that a download received everything it requested from the backend.
    package mutating func recordSuccess() {
        switch phase {
        case .open(let opening) where opening.isTripped, .halfOpen(let opening) where opening.isTripped: break
        case .closed, .open, .halfOpen: phase = .closed(failures: 0)
        }
    }

    /// Records a successful probe. A probe that began before the breaker was tripped does not count.
    package mutating func recordProbeSuccess() {
        if case .halfOpen = phase { phase = .closed(failures: 0) }
    }

    /// Records a failure. Failures while the breaker is open change nothing, since they are expected.
    package mutating func recordFailure(at now: ContinuousClock.Instant, using random: inout some RandomNumberGenerator) {
        switch phase {
        case .closed(let failures) where failures + 1 < limits.failures: phase = .closed(failures: failures + 1)
        case .closed: open(times: 1, isTripped: false, at: now, &random)
        case .halfOpen(let opening): open(times: opening.times + 1, isTripped: opening.isTripped, at: now, &random)
        case .open: break
        }
    }

    /// Opens the breaker because of wrong content. Only a probe closes it then.
    package mutating func trip(at now: ContinuousClock.Instant, using random: inout some RandomNumberGenerator) {
        switch phase {
        case .closed: open(times: 1, isTripped: true, at: now, &random)
        case .halfOpen(let opening): open(times: opening.times + 1, isTripped: true, at: now, &random)
        case .open(var opening):
            opening.isTripped = true
            phase = .open(opening)
        }
    }

    /// Claims the probe that is due, if there is one.
    /// - Returns: whether the caller is to carry it out.
    package mutating func beginProbe(at now: ContinuousClock.Instant) -> Bool {
        switch phase {
        case .open(var opening) where opening.until <= now, .halfOpen(var opening) where opening.until <= now:
            opening.until = now + limits.probeTimeout
            phase = .halfOpen(opening)
            return true
        case .closed, .open, .halfOpen: return false
        }
    }

    /// Opens with a jitter of one fifth, so that many processes do not return to a server at the same moment.
    private mutating func open(
        times: Int, isTripped: Bool, at now: ContinuousClock.Instant, _ random: inout some RandomNumberGenerator
    ) {
        let span = min(limits.longestOpening, limits.opening * times) * Double.random(in: 0.8..<1, using: &random)
        phase = .open(Opening(times: times, until: now + span, isTripped: isTripped))
    }
}
