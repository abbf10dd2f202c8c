/// The rule for leaving a slow location for a faster one. A slow location has neither stalled nor failed. If all locations are
/// slow, the download stays where it is.
package struct SlowLocationRule: Sendable, Equatable {
    /// The time over which throughput is measured before each decision.
    package var window: Duration = .seconds(2)
    /// How many times faster another location must be; 0 disables the rule.
    package var factor = 3
    /// The throughput in bytes per second below which a location counts as stalled. It is then left at once, even for a
    /// location without measurements or of a worse tier.
    package var floor: Int64 = 64 << 10
    /// The shortest time between two failovers for slowness.
    package var dwell: Duration = .seconds(10)

    package init() {}

    /// A location at which the download could continue.
    package struct Alternative: Sendable, Equatable {
        /// The location's index among the candidates.
        package var candidate: Int
        /// The throughput that can be expected of it.
        package var estimate: ThroughputEstimate
        /// Whether its tier has a higher number than that of the current location.
        package var isOfWorseTier: Bool

        package init(candidate: Int, estimate: ThroughputEstimate, isOfWorseTier: Bool = false) {
            self.candidate = candidate
            self.estimate = estimate
            self.isOfWorseTier = isOfWorseTier
        }
    }

    package enum Decision: Sendable, Equatable {
        /// Continue at the current location.
        case stay
        /// Continue at that candidate from the next chunk boundary on.
        case failOverAtBoundary(to: Int)
        /// Continue at that candidate from the next byte on: the next boundary may be hours away.
        case failOverNow(to: Int)
    }

    /// Decides by the throughput of the last window.
    /// - Parameters:
    ///   - rate: the throughput in bytes per second.
    ///   - remaining: the number of bytes still wanted.
    ///   - alternatives: the other candidates, the best ranked first.
    package func decision(at rate: Double, remaining: Int64, alternatives: [Alternative]) -> Decision {
        // A download that ends within a window ends before a failover pays off.
        guard factor > 0, Double(remaining) > rate * (window / .seconds(1)) else { return .stay }
        let crawls = rate < Double(floor)
        var best: (candidate: Int, rate: Double)?
        for alternative in alternatives {
            guard let expected = expectation(of: alternative, insteadOf: rate, crawls: crawls),
                best.map({ expected > $0.rate }) ?? true
            else { continue }
            best = (alternative.candidate, expected)
        }
        guard let best else { return .stay }
        return crawls ? .failOverNow(to: best.candidate) : .failOverAtBoundary(to: best.candidate)
    }

    /// The expected throughput in bytes per second of a clearly faster alternative; nil for all others.
    private func expectation(of alternative: Alternative, insteadOf rate: Double, crawls: Bool) -> Double? {
        switch alternative.estimate {
        case .rate(let expected):
            guard expected >= rate * Double(factor), crawls || !alternative.isOfWorseTier else { return nil }
            return expected
        case .unknown: return crawls ? Double(floor) : nil
        case .avoided: return nil
        }
    }
}
