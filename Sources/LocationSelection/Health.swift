package import ImageModel

/// This process's recent observations of backends and locations. They change ranks, never a status.
package struct Health: Sendable {
    /// The party at fault for a failed attempt.
    package enum Trouble: Sendable, Equatable {
        /// The backend: the failure counts for the breaker.
        case backend
        /// This location: its backend may be healthy.
        case location
        /// The backend asks for a pause, of the given length if it stated one.
        case throttled(Duration?)
    }

    /// The recently failed locations.
    package private(set) var locations: LocationHealth
    private var limits: Breaker.Limits
    private var backends: [BackendID: BackendHealth] = [:]
    private var lastFailed: [BackendID: LocationID] = [:]
    private var random: SplitMix64

    /// The pause for a backend that asks for one without stating a length.
    private static let rest: Duration = .seconds(1)

    /// Creates a health without observations.
    /// - Parameters:
    ///   - penalty: how long a failure ranks a location behind the others.
    ///   - seed: the seed of the breakers' jitter.
    package init(penalty: Duration, limits: Breaker.Limits = Breaker.Limits(), seed: UInt64) {
        locations = LocationHealth(penalty: penalty)
        self.limits = limits
        random = SplitMix64(seed: seed)
    }

    /// Changes the settings and keeps the observations.
    package mutating func configure(penalty: Duration, limits: Breaker.Limits) {
        locations.penalty = penalty
        self.limits = limits
        for backend in backends.keys { backends[backend]?.breaker.limits = limits }
    }

    /// The observations of a backend.
    package subscript(backend: BackendID) -> BackendHealth { backends[backend] ?? BackendHealth(limits: limits) }

    /// Records the start of an attempt.
    package mutating func attemptBegan(in backend: BackendID) {
        backends[backend, default: BackendHealth(limits: limits)].attemptBegan()
    }

    /// Records the end of an attempt; a failure is recorded separately.
    package mutating func attemptEnded(
        in backend: BackendID, _ measure: AttemptMeasure, at now: ContinuousClock.Instant
    ) {
        backends[backend, default: BackendHealth(limits: limits)].attemptEnded(measure, at: now)
    }

    /// Records the throughput of a running attempt, in bytes per second.
    package mutating func recordThroughput(_ bytesPerSecond: Double, in backend: BackendID, at now: ContinuousClock.Instant) {
        backends[backend, default: BackendHealth(limits: limits)].recordThroughput(bytesPerSecond, at: now)
    }

    /// Records a failed attempt at the location.
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

    /// Records that the location contributed to a verified download.
    package mutating func recordSuccess(of location: LocationID) { locations.recordSuccess(of: location) }

    /// Opens a backend's breaker regardless of its attempts.
    package mutating func trip(_ backend: BackendID, for location: LocationID, at now: ContinuousClock.Instant) {
        lastFailed[backend] = location
        backends[backend, default: BackendHealth(limits: limits)].breaker.trip(at: now, using: &random)
    }

    /// Claims the probes that are due, each with the location to read. The caller carries them out and reports the outcome with
    /// `endProbe`.
    package mutating func beginProbes(at now: ContinuousClock.Instant) -> [(backend: BackendID, location: LocationID)] {
        var due: [(backend: BackendID, location: LocationID)] = []
        for (backend, location) in lastFailed.sorted(by: { $0.key < $1.key }) {
            if backends[backend]?.breaker.beginProbe(at: now) == true { due.append((backend, location)) }
        }
        return due
    }

    /// Records the outcome of a probe.
    package mutating func endProbe(of backend: BackendID, worked: Bool, at now: ContinuousClock.Instant) {
        if worked {
            backends[backend]?.breaker.recordProbeSuccess()
        } else {
            backends[backend]?.breaker.recordFailure(at: now, using: &random)
        }
    }
}
