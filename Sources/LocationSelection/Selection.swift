package import ImageModel

/// How locations of one tier are ordered.
package enum SelectionStrategy: String, Sendable, Hashable, CaseIterable {
    /// As they were registered.
    case ordered
    /// The higher weight first, as Glance's location strategy.
    case weighted
    /// The one that will be done first, as its backend was measured; now and then another, so that its measure stays true.
    case measured
}

/// The locations that may serve, the best first, and the others, each with its reason.
package struct Selection: Sendable, Equatable {
    /// Why a location stands where it stands.
    package enum Standing: String, Sendable, Equatable {
        /// By its tier and the strategy.
        case regular
        /// In front of its equals although measured slower, so that its measure stays true.
        case explored
        /// At the end because it failed lately.
        case failedLately = "failed-lately"
        /// Behind those because its backend asked to be left alone.
        case resting
        /// Behind those because its backend's breaker is open.
        case breakerOpen = "breaker-open"
        /// At the very end because it contributed to a failed verification and is not cleared.
        case suspect
    }

    /// Why a location is not in the running.
    package enum Rejection: String, Sendable, Equatable {
        /// Its status does not let it serve.
        case status
        /// Its backend is not in the configuration.
        case noBackend = "no-backend"
        /// It has nothing that pins its object, so no range of it can be trusted.
        case noValidator = "no-validator"
        /// It was never read in full, so no range of it can be trusted.
        case unverified = "not-verified"
        /// It contributed to a failed verification and is not cleared: no range of it can be trusted.
        case suspect
    }

    /// A location that may serve.
    package struct Ranked: Sendable, Equatable {
        /// The location.
        package let location: Location
        /// Why it stands here.
        package let standing: Standing
        /// What a read of it would cost, in seconds as measured.
        package let cost: Double
    }

    /// A location that may not.
    package struct Rejected: Sendable, Equatable {
        /// The location.
        package let location: Location
        /// Why not.
        package let reason: Rejection
    }

    /// The best first.
    package let ranked: [Ranked]
    /// In the order of registration.
    package let rejected: [Rejected]
}

extension Selection {
    /// What a download needs of a location.
    package enum Need: Sendable, Equatable {
        /// Any active location: what it gives will be verified.
        case whole
        /// A full read that matched, the validator that this read saw, and nothing held against it since: without a manifest, a
        /// range can't be verified while it is served.
        case range
    }

    /// How often a measured order tries another one than the best: one in so many.
    private static let explorationInterval: UInt64 = 20

    /// Ranks the locations of one representation.
    /// - Parameters:
    ///   - locations: in the order of registration.
    ///   - need: what the download needs of them.
    ///   - size: how many bytes it needs.
    ///   - backends: the configured ones.
    ///   - randomNumber: any number, to tell whether this one isExploring; nil never does.
    package init(
        of locations: [Location], need: Need, size: Int64, strategy: SelectionStrategy, backends: Set<BackendID>,
        health: Health, randomNumber: UInt64? = nil, at now: ContinuousClock.Instant
    ) {
        var candidates: [(ranked: Ranked, index: Int)] = []
        var rejected: [Rejected] = []
        for (index, location) in locations.enumerated() {
            if let reason = Self.rejection(of: location, need: need, backends: backends) {
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

    /// Puts one of the best one's equals in front.
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

    private static func rejection(of location: Location, need: Need, backends: Set<BackendID>) -> Rejection? {
        if !location.state.status.serves { return .status }
        if !backends.contains(location.backend) { return .noBackend }
        guard need == .range, !location.servesVerifiedRanges else { return nil }
        if location.isSuspect { return .suspect }
        return location.verifiedAt == nil ? .unverified : .noValidator
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
