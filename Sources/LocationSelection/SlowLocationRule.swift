/// When a location that brings bytes is left for a faster one. Slow is not stalled: it is nobody's failure, and where all are slow
/// the download stays where it is.
package struct SlowLocationRule: Sendable, Equatable {
    /// How long a location is watched before it is judged, and again each time.
    package var window: Duration = .seconds(2)
    /// How many times faster another one must be; 0 never moves.
    package var factor = 3
    /// Bytes a second below which a location is as good as stalled: it is left at once, also for one that nobody has measured, and
    /// for one of a worse tier.
    package var floor: Int64 = 64 << 10
    /// How long no second move follows the first.
    package var dwell: Duration = .seconds(10)

    /// The defaults.
    package init() {}

    /// A location that the download could go to.
    package struct Alternative: Sendable, Equatable {
        /// Its index among the candidates.
        package var candidate: Int
        /// What can be expected of it.
        package var estimate: ThroughputEstimate
        /// Whether the operator put it behind the one that is read.
        package var isOfWorseTier: Bool

        /// An alternative with every property given.
        package init(candidate: Int, estimate: ThroughputEstimate, isOfWorseTier: Bool = false) {
            self.candidate = candidate
            self.estimate = estimate
            self.isOfWorseTier = isOfWorseTier
        }
    }

    /// What to do.
    package enum Decision: Sendable, Equatable {
        /// Go on here.
        case stay
        /// Go on there from the next edge of a chunk.
        case moveAtEdge(to: Int)
        /// Go on there from the next byte: an edge may be hours away.
        case moveNow(to: Int)
    }

    /// Judges a location by its last window.
    /// - Parameters:
    ///   - rate: bytes a second that it brought.
    ///   - remaining: the bytes still wanted.
    ///   - alternatives: where the download could go, the best ranked first.
    package func decision(at rate: Double, remaining: Int64, alternatives: [Alternative]) -> Decision {
        // What is done within a window is done before a move pays.
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
        return crawls ? .moveNow(to: best.candidate) : .moveAtEdge(to: best.candidate)
    }

    /// Bytes a second to expect of one that is clearly faster; nil for all others.
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
