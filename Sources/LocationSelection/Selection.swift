public import ImageModel

/// How locations of one tier are ordered.
public enum SelectionStrategy: String, Sendable, Hashable, CaseIterable {
    /// As they were registered.
    case ordered
    /// The higher weight first, as Glance's location strategy.
    case weighted
}

/// The locations that may serve, the best first, and the others, each with its reason.
public struct Selection: Sendable, Equatable {
    /// Why a location stands where it stands.
    public enum Standing: String, Sendable, Equatable {
        /// By its tier and the strategy.
        case regular
        /// At the end because it failed lately.
        case failedLately = "failed-lately"
        /// At the very end because it contributed to a failed proof and is not cleared.
        case accused
    }

    /// Why a location is not in the running.
    public enum Rejection: String, Sendable, Equatable {
        /// Its status does not let it serve.
        case status
        /// Its backend is not in the configuration.
        case noBackend = "no-backend"
        /// It has nothing that pins its object, so no range of it can be trusted.
        case noValidator = "no-validator"
    }

    /// A location that may serve.
    public struct Ranked: Sendable, Equatable {
        /// The location.
        public let location: Location
        /// Why it stands here.
        public let standing: Standing
    }

    /// A location that may not.
    public struct Rejected: Sendable, Equatable {
        /// The location.
        public let location: Location
        /// Why not.
        public let reason: Rejection
    }

    /// The best first.
    public let ranked: [Ranked]
    /// In the order of registration.
    public let rejected: [Rejected]
}

extension Selection {
    /// What a download needs of a location.
    public enum Need: Sendable, Equatable {
        /// Any active location: the whole will be proven.
        case whole
        /// A recorded validator, since a range can't be proven.
        case range
    }

    /// Ranks the locations of one representation.
    /// - Parameters:
    ///   - locations: in the order of registration.
    ///   - need: what the download needs of them.
    ///   - backends: the configured ones.
    public init(
        of locations: [Location], need: Need, strategy: SelectionStrategy, backends: Set<BackendID>, health: LocationHealth,
        at now: ContinuousClock.Instant
    ) {
        var candidates: [(ranked: Ranked, index: Int)] = []
        var rejected: [Rejected] = []
        for (index, location) in locations.enumerated() {
            if let reason = Self.rejection(of: location, need: need, backends: backends) {
                rejected.append(Rejected(location: location, reason: reason))
            } else {
                let standing: Standing =
                    if location.isAccused {
                        .accused
                    } else if health.hasFailedLately(location.id, at: now) {
                        .failedLately
                    } else {
                        .regular
                    }
                candidates.append((Ranked(location: location, standing: standing), index))
            }
        }
        func key(_ candidate: (ranked: Ranked, index: Int)) -> (Int, Int, Int, Int) {
            let location = candidate.ranked.location
            let weight = strategy == .weighted ? -location.weight : 0
            return (candidate.ranked.standing.order, location.tier, weight, candidate.index)
        }
        self.ranked = candidates.sorted { key($0) < key($1) }.map(\.ranked)
        self.rejected = rejected
    }

    private static func rejection(of location: Location, need: Need, backends: Set<BackendID>) -> Rejection? {
        if !location.state.status.serves { return .status }
        if !backends.contains(location.backend) { return .noBackend }
        if need == .range, location.validator == nil { return .noValidator }
        return nil
    }
}

extension Selection.Standing {
    fileprivate var order: Int {
        switch self {
        case .regular: 0
        case .failedLately: 1
        case .accused: 2
        }
    }
}
