/// The count of a run.
package struct Tally: Sendable {
    /// What came of the downloads of one fault.
    package struct Row: Sendable {
        /// How many ended how.
        package private(set) var outcomes: [Observation.Outcome: Int] = [:]
        /// The gaps of those that were struck and ended well, in seconds.
        package private(set) var gaps: [Double] = []
        /// How many their fault did not hit.
        package private(set) var missed = 0

        package init() {}

        /// All that ran.
        package var count: Int { outcomes.values.reduce(0, +) }

        mutating func add(_ observation: Observation) {
            outcomes[observation.outcome, default: 0] += 1
            if !observation.isStruck { missed += 1 }
            if observation.isStruck, observation.outcome == .exact, let gap = observation.gap { gaps.append(gap) }
        }

        mutating func add(_ other: Row) {
            outcomes.merge(other.outcomes, uniquingKeysWith: +)
            gaps += other.gaps
            missed += other.missed
        }

        /// The gap that so many of a hundred did not exceed; nil without any.
        package func gap(percentile: Double) -> Double? {
            guard !gaps.isEmpty else { return nil }
            let sorted = gaps.sorted()
            // The smallest value that is no less than so many of all.
            return sorted[max(0, Int((percentile / 100 * Double(sorted.count)).rounded(.up)) - 1)]
        }
    }

    /// By fault.
    package private(set) var rows: [Fault: Row] = [:]
    /// Those that a person wants to see one by one.
    package private(set) var oddities: [Observation] = []
    /// How many were not run, by the reason.
    package private(set) var skipped: [String: Int] = [:]
    private var sizes: [Int64] = []
    private var struck = 0

    package init() {}

    package mutating func add(_ observation: Observation) {
        rows[observation.fault, default: Row()].add(observation)
        switch observation.outcome {
        case .exact, .abandoned: break
        case .failed, .wrong, .hung: oddities.append(observation)
        }
        if observation.isStruck, observation.outcome != .abandoned {
            struck += 1
            sizes.append(observation.asked)
        }
    }

    /// These downloads of the plan did not run.
    package mutating func skip(_ count: Int, because reason: String) { skipped[reason, default: 0] += count }

    /// How many ended so.
    package func count(_ outcome: Observation.Outcome) -> Int { rows.values.reduce(0) { $0 + ($1.outcomes[outcome] ?? 0) } }

    /// How many their fault hit and their client did not leave.
    package var struckCount: Int { struck }

    /// The median of what those asked for, in bytes.
    package var medianSize: Int64 { sizes.isEmpty ? 0 : sizes.sorted()[sizes.count / 2] }

    /// All faults of one sign together.
    package func joined(_ sign: Fault.Sign) -> Row {
        rows.filter { $0.key.sign == sign }.reduce(into: Row()) { $0.add($1.value) }
    }
}
