package import ImageModel

/// This process's recent observations of backends and locations. They change ranks, never a status.
package struct Health: Sendable {
    /// The party at fault for a failed attempt.
    package enum Fault: Sendable, Equatable {
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

    /// Counts one more running attempt at the backend.
    package mutating func attemptRequested(in backend: BackendID) {
        backends[backend, default: BackendHealth(limits: limits)].attemptRequested()
    }

    /// Records that an attempt at the backend is over, with its measurements; a failure is recorded separately.
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
        of location: LocationID, in backend: BackendID, _ fault: Fault, at now: ContinuousClock.Instant
    ) {
        locations.recordFailure(of: location, at: now)
        switch fault {
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

    /// Records whether a probe of the backend worked: closes its breaker, or opens it again.
    package mutating func endProbe(of backend: BackendID, worked: Bool, at now: ContinuousClock.Instant) {
        if worked {
            backends[backend]?.breaker.recordProbeSuccess()
        } else {
            backends[backend]?.breaker.recordFailure(at: now, using: &random)
        }
    }
}

/// This process's recent measurements of one backend.
package struct BackendHealth: Sendable, Equatable {
    /// The circuit breaker.
    package var breaker: Breaker
    /// The time to first byte, in seconds.
    package private(set) var firstByte = MovingAverage(.peak)
    /// The throughput in bytes per second, over the time in which bytes were wanted.
    package private(set) var throughput = MovingAverage(.plain)
    /// The number of running attempts.
    package private(set) var running = 0
    /// The end of the pause that the backend asked for; nil if it never asked for one.
    package private(set) var restsUntil: ContinuousClock.Instant?

    /// The values assumed for a backend without measurements: neither so good that it attracts all load, nor so bad that it is
    /// never tried.
    private static let assumedFirstByte = 0.05
    private static let assumedThroughput = 100e6
    /// The smallest read in bytes that counts as a sample. Shorter reads measure latency rather than throughput.
    private static let smallestSample: Int64 = 256 << 10

    package init(limits: Breaker.Limits = Breaker.Limits()) { breaker = Breaker(limits: limits) }

    /// Whether the backend asked for a pause that is not over.
    package func rests(at now: ContinuousClock.Instant) -> Bool { restsUntil.map { $0 > now } ?? false }

    /// The estimated duration in seconds of a read of `size` bytes, if the throughput is shared with all running attempts.
    package func cost(of size: Int64) -> Double {
        let seconds =
            (firstByte.value ?? Self.assumedFirstByte) + Double(size) / max(throughput.value ?? Self.assumedThroughput, 1)
        return seconds * Double(running + 1)
    }

    /// The throughput in bytes per second that one more read can expect, shared with all running attempts; nil without
    /// measurements.
    package var rateForOneMore: Double? { throughput.value.map { $0 / Double(running + 1) } }

    /// Records the throughput of a running attempt.
    package mutating func recordThroughput(_ bytesPerSecond: Double, at now: ContinuousClock.Instant) {
        throughput.record(bytesPerSecond, at: now)
    }

    /// Counts one more running attempt.
    package mutating func attemptRequested() { running += 1 }

    /// Records that an attempt is over, with its measurements.
    package mutating func attemptEnded(_ measure: AttemptMeasure, at now: ContinuousClock.Instant) {
        running = max(0, running - 1)
        if measure.isComplete { breaker.recordSuccess() }
        if let time = measure.firstByte { firstByte.record(time / .seconds(1), at: now) }
        if measure.bytes >= Self.smallestSample, measure.active > .zero {
            throughput.record(Double(measure.bytes) / (measure.active / .seconds(1)), at: now)
        }
    }

    /// Records that the backend asked for a pause of that length.
    package mutating func rest(for time: Duration, at now: ContinuousClock.Instant) {
        restsUntil = max(restsUntil ?? now, now + time)
    }
}

/// The measurements of one attempt.
package struct AttemptMeasure: Sendable, Equatable {
    /// Whether it delivered all requested bytes. A cancelled attempt says nothing about the backend.
    package var isComplete: Bool
    /// The time from the request to the first byte; nil if none arrived.
    package var firstByte: Duration?
    /// The number of bytes received.
    package var bytes: Int64
    /// The time in which they arrived, without the pauses in which Baton did not read.
    package var active: Duration

    package init(isComplete: Bool, firstByte: Duration?, bytes: Int64, active: Duration) {
        self.isComplete = isComplete
        self.firstByte = firstByte
        self.bytes = bytes
        self.active = active
    }
}

/// The recently failed locations, as seen by this process. They change ranks, never a status.
package struct LocationHealth: Sendable {
    /// How long a failure ranks a location behind the others.
    package var penalty: Duration
    private var failedUntil: [LocationID: ContinuousClock.Instant] = [:]

    package init(penalty: Duration) { self.penalty = penalty }

    /// Records that an attempt at the location failed.
    package mutating func recordFailure(of location: LocationID, at now: ContinuousClock.Instant) {
        failedUntil = failedUntil.filter { $0.value > now }
        failedUntil[location] = now + penalty
    }

    /// Records that the location served, which clears its failure.
    package mutating func recordSuccess(of location: LocationID) { failedUntil[location] = nil }

    /// Whether the location failed within the penalty before `now`.
    package func hasFailedLately(_ location: LocationID, at now: ContinuousClock.Instant) -> Bool {
        failedUntil[location].map { $0 > now } ?? false
    }
}
