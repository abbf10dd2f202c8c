/// The outcomes of a run, counted.
package struct Tally: Sendable {
    /// The outcomes of the downloads with one fault.
    package struct Row: Sendable {
        /// How many downloads had each outcome.
        package private(set) var outcomes: [Observation.Outcome: Int] = [:]
        /// The gaps of those that were hit and ended well, in seconds.
        package private(set) var gaps: [Double] = []
        /// How many downloads their fault did not hit.
        package private(set) var missed = 0

        package init() {}

        /// How many downloads ran.
        package var count: Int { outcomes.values.reduce(0, +) }

        mutating func add(_ observation: Observation) {
            outcomes[observation.outcome, default: 0] += 1
            if !observation.isHit { missed += 1 }
            if observation.isHit, observation.outcome == .exact, let gap = observation.gap { gaps.append(gap) }
        }

        mutating func add(_ other: Row) {
            outcomes.merge(other.outcomes, uniquingKeysWith: +)
            gaps += other.gaps
            missed += other.missed
        }

        /// The gap that this percentage did not exceed; nil without gaps.
        package func gap(percentile: Double) -> Double? {
            guard !gaps.isEmpty else { return nil }
            let sorted = gaps.sorted()
            // The smallest value that is at least as large as that share of all values.
            return sorted[max(0, Int((percentile / 100 * Double(sorted.count)).rounded(.up)) - 1)]
        }
    }

    /// By fault.
    package private(set) var rows: [Fault: Row] = [:]
    /// The downloads that the report lists one by one.
    package private(set) var oddities: [Observation] = []
    /// How many downloads were skipped, by reason.
    package private(set) var skipped: [String: Int] = [:]
    private var sizes: [Int64] = []
    private var hit = 0

    package init() {}

    package mutating func add(_ observation: Observation) {
        rows[observation.fault, default: Row()].add(observation)
        switch observation.outcome {
        case .exact, .abandoned: break
        case .failed, .wrong, .hung: oddities.append(observation)
        }
        if observation.isHit, observation.outcome != .abandoned {
            hit += 1
            sizes.append(observation.asked)
        }
    }

    /// Counts downloads of the plan that did not run.
    package mutating func skip(_ count: Int, because reason: String) { skipped[reason, default: 0] += count }

    /// How many downloads had this outcome.
    package func count(_ outcome: Observation.Outcome) -> Int { rows.values.reduce(0) { $0 + ($1.outcomes[outcome] ?? 0) } }

    /// How many downloads were hit and not abandoned.
    package var hitCount: Int { hit }

    /// The median number of bytes that those asked for.
    package var medianSize: Int64 { sizes.isEmpty ? 0 : sizes.sorted()[sizes.count / 2] }

    /// The sum over all faults of one sign.
    package func joined(_ sign: Fault.Sign) -> Row {
        rows.filter { $0.key.sign == sign }.reduce(into: Row()) { $0.add($1.value) }
    }
}
