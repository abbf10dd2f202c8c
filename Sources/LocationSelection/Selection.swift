package import ImageModel

/// The order of locations in a tier.
package enum SelectionStrategy: String, Sendable, Hashable, CaseIterable {
    /// The order of registration.
    case ordered
    /// Higher weights first, like Glance's location strategy.
    case weighted
    /// The shortest estimated duration first, by the backends' measurements. Now and then another location is first, to keep
    /// its measurements current.
    case measured
}

/// The ranked locations, the best first, and the rejected ones, each with its reason.
package struct Selection: Sendable, Equatable {
    /// The reason for a location's rank.
    package enum Standing: String, Sendable, Equatable {
        /// Ranked by its tier and the strategy.
        case regular
        /// Ranked before its equals although it is measured slower, to keep its measurements current.
        case explored
        /// Ranked behind `regular` and `explored` because it failed recently.
        case failedLately = "failed-lately"
        /// Ranked behind `failed-lately` because its backend asked for a pause.
        case resting
        /// Ranked behind `resting` because its backend's breaker is open.
        case breakerOpen = "breaker-open"
        /// Ranked last because it contributed to a failed verification and is not cleared.
        case suspect
    }

    /// The reason why a location is rejected.
    package enum RejectionReason: String, Sendable, Equatable {
        /// The location's status is not `active`.
        case status
        /// The location's backend is not configured.
        case noBackend = "no-backend"
        /// A range without a manifest was requested, and the location has no validator that would reveal a changed object.
        case noValidator = "no-validator"
        /// A range without a manifest was requested, and no full read of the location has matched yet.
        case neverRead = "not-verified"
        /// A range without a manifest was requested, and the location contributed to a failed verification and is not cleared.
        case suspect
    }

    /// A location that may serve.
    package struct Ranked: Sendable, Equatable {
        package let location: Location
        package let standing: Standing
        /// The estimated duration of a read, in seconds.
        package let cost: Double
    }

    /// A location that may not serve.
    package struct Rejected: Sendable, Equatable {
        package let location: Location
        package let reason: RejectionReason
    }

    /// The ranked locations, the best first.
    package let ranked: [Ranked]
    /// The rejected locations in order of registration.
    package let rejected: [Rejected]
}

extension Selection {
    /// The requirement of a download on a location.
    package enum Requirement: Sendable, Equatable {
        /// Any active location, since a whole download is verified.
        case whole
        /// A location whose last full read matched, whose validator is unchanged since that read, and which is not a suspect.
        /// Without a manifest, a range can't be verified while it is served.
        case range
    }

    /// One measured order in this many begins with another location than the best.
    private static let explorationInterval: UInt64 = 20

    /// Ranks the locations of one representation.
    /// - Parameters:
    ///   - locations: the locations in order of registration.
    ///   - requirement: the requirement of the download.
    ///   - size: the number of bytes that it needs.
    ///   - backends: the configured backends.
    ///   - randomNumber: decides whether this order explores; nil never does.
    package init(
        of locations: [Location], requirement: Requirement, size: Int64, strategy: SelectionStrategy, backends: Set<BackendID>,
        health: Health, randomNumber: UInt64? = nil, at now: ContinuousClock.Instant
    ) {
        var candidates: [(ranked: Ranked, index: Int)] = []
        var rejected: [Rejected] = []
        for (index, location) in locations.enumerated() {
            if let reason = Self.rejectionReason(of: location, requirement: requirement, backends: backends) {
                rejected.append(Rejected(location: location, reason: reason))
            } else {
                let cost = health[location.backend].cost(of: size)
                candidates.append(
                    (Ranked(location: location, standing: Self.standing(of: location, health, now), cost: cost), index))
            }
        }
        func key(_ candidate: (ranked: Ranked, index: Int)) -> (Int, Int, Double, Int) {
            let location = candidate.ranked.location
            let merit: Double =
                switch strategy {
                case .ordered: 0
                case .weighted: -Double(location.weight)
                case .measured: candidate.ranked.cost
                }
            return (candidate.ranked.standing.order, location.tier, merit, candidate.index)
        }
        var ranked = candidates.sorted { key($0) < key($1) }.map(\.ranked)
        if strategy == .measured, let randomNumber, randomNumber % Self.explorationInterval == 0 {
            Self.explore(&ranked, randomNumber / Self.explorationInterval)
        }
        self.ranked = ranked
        self.rejected = rejected
    }

    /// Moves one of the best location's equals to the front.
    private static func explore(_ ranked: inout [Ranked], _ randomNumber: UInt64) {
        guard let best = ranked.first, best.standing == .regular else { return }
        let equals = ranked.prefix { $0.standing == .regular && $0.location.tier == best.location.tier }.count
        guard equals > 1 else { return }
        let chosen = ranked.remove(at: 1 + Int(randomNumber % UInt64(equals - 1)))
        ranked.insert(Ranked(location: chosen.location, standing: .explored, cost: chosen.cost), at: 0)
    }

    private static func standing(of location: Location, _ health: Health, _ now: ContinuousClock.Instant) -> Standing {
        if location.isSuspect { return .suspect }
        let backend = health[location.backend]
        if backend.breaker.state != .closed { return .breakerOpen }
        if backend.rests(at: now) { return .resting }
        return health.locations.hasFailedLately(location.id, at: now) ? .failedLately : .regular
    }

    private static func rejectionReason(
        of location: Location, requirement: Requirement, backends: Set<BackendID>
    ) -> RejectionReason? {
        if !location.state.status.serves { return .status }
        if !backends.contains(location.backend) { return .noBackend }
        guard requirement == .range, !location.servesVerifiedRanges else { return nil }
        if location.isSuspect { return .suspect }
        return location.verifiedAt == nil ? .neverRead : .noValidator
    }
}

extension Selection.Standing {
    fileprivate var order: Int {
        switch self {
        case .regular, .explored: 0
        case .failedLately: 1
        case .resting: 2
        case .breakerOpen: 3
        case .suspect: 4
        }
    }
}
