package import ImageModel

/// What this process has seen lately of backends and locations. Moves ranks, never status.
package struct Health: Sendable {
    /// Whose trouble a failed attempt was.
    package enum Trouble: Sendable, Equatable {
        /// The backend's: it counts for the breaker.
        case backend
        /// This location's: its backend may be in the best of health.
        case location
        /// The backend asks for timeout, for so long if it said so.
        case throttled(Duration?)
    }

    /// Which locations failed lately.
    package private(set) var locations: LocationHealth
    private var limits: Breaker.Limits
    private var backends: [BackendID: BackendHealth] = [:]
    private var lastFailed: [BackendID: LocationID] = [:]
    private var random: SplitMix64

    /// How long a backend rests that asks for timeout and does not say for how long.
    private static let rest: Duration = .seconds(1)

    /// Nobody has failed yet.
    /// - Parameters:
    ///   - penalty: how long a failure puts a location behind the others.
    ///   - seed: for the jitter of breakers.
    package init(penalty: Duration, limits: Breaker.Limits = Breaker.Limits(), seed: UInt64) {
        locations = LocationHealth(penalty: penalty)
        self.limits = limits
        random = SplitMix64(seed: seed)
    }

    /// Goes by other settings from now on; what was seen stays.
    package mutating func configure(penalty: Duration, limits: Breaker.Limits) {
        locations.penalty = penalty
        self.limits = limits
        for backend in backends.keys { backends[backend]?.breaker.limits = limits }
    }

    /// What was seen of a backend.
    package subscript(backend: BackendID) -> BackendHealth { backends[backend] ?? BackendHealth(limits: limits) }

    /// An attempt at the backend began.
    package mutating func attemptBegan(in backend: BackendID) {
        backends[backend, default: BackendHealth(limits: limits)].attemptBegan()
    }

    /// An attempt at the backend ended; a failure is recorded beside.
    package mutating func attemptEnded(
        in backend: BackendID, _ measure: AttemptMeasure, at now: ContinuousClock.Instant
    ) {
        backends[backend, default: BackendHealth(limits: limits)].attemptEnded(measure, at: now)
    }

    /// An attempt at the backend goes on, at so many bytes a second.
    package mutating func recordThroughput(_ bytesPerSecond: Double, in backend: BackendID, at now: ContinuousClock.Instant) {
        backends[backend, default: BackendHealth(limits: limits)].recordThroughput(bytesPerSecond, at: now)
    }

    /// An attempt at the location failed.
    package mutating func recordFailure(
        of location: LocationID, in backend: BackendID, _ trouble: Trouble, at now: ContinuousClock.Instant
    ) {
        locations.recordFailure(of: location, at: now)
        switch trouble {
        case .location: break
        case .throttled(let time):
            backends[backend, default: BackendHealth(limits: limits)].rest(for: time ?? Self.rest, at: now)
        case .backend:
            lastFailed[backend] = location
            backends[backend, default: BackendHealth(limits: limits)].breaker.recordFailure(at: now, using: &random)
        }
    }

    /// The location contributed to a verified whole.
    package mutating func recordSuccess(of location: LocationID) { locations.recordSuccess(of: location) }

    /// Opens a backend's breaker, whatever its attempts say.
    package mutating func trip(_ backend: BackendID, for location: LocationID, at now: ContinuousClock.Instant) {
        lastFailed[backend] = location
        backends[backend, default: BackendHealth(limits: limits)].breaker.trip(at: now, using: &random)
    }

    /// The probes that are due: which backend, and the location to read. The caller carries them out, and says how they went.
    package mutating func beginProbes(at now: ContinuousClock.Instant) -> [(backend: BackendID, location: LocationID)] {
        var due: [(backend: BackendID, location: LocationID)] = []
        for (backend, location) in lastFailed.sorted(by: { $0.key < $1.key }) {
            if backends[backend]?.breaker.beginProbe(at: now) == true { due.append((backend, location)) }
        }
        return due
    }

    /// How a probe went.
    package mutating func endProbe(of backend: BackendID, worked: Bool, at now: ContinuousClock.Instant) {
        if worked {
            backends[backend]?.breaker.recordProbeSuccess()
        } else {
            backends[backend]?.breaker.recordFailure(at: now, using: &random)
        }
    }
}
