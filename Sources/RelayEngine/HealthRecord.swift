package import BackendKit
import FoundationEssentials
package import ImageModel
package import LocationSelection
import Synchronization

/// What relays and probes have observed of backends and locations: their health, the last failure of each location, and the
/// bytes taken from each backend. It is kept in memory only.
package final class HealthRecord: Sendable {
    private let health: Mutex<Health>
    private let lastFailures = Mutex(LastFailures())
    private let bytesByBackend = Mutex<[BackendID: Int64]>([:])

    /// - Parameters:
    ///   - penalty: how long a failed location is ranked behind the others.
    ///   - breaker: when a backend is ranked behind the others, and for how long.
    init(penalty: Duration, breaker: Breaker.Limits) {
        health = Mutex(Health(penalty: penalty, limits: breaker, seed: .random(in: 0...UInt64.max)))
    }

    /// Changes the limits of ranking.
    /// - Parameters:
    ///   - penalty: how long a location that fails from now on is ranked behind the others.
    ///   - breaker: when a backend is ranked behind the others from now on, and for how long.
    func configure(penalty: Duration, breaker: Breaker.Limits) {
        health.withLock { $0.configure(penalty: penalty, limits: breaker) }
    }

    /// The health of all backends and locations now.
    var current: Health { health.withLock { $0 } }

    /// The health of a backend.
    package subscript(backend: BackendID) -> BackendHealth { health.withLock { $0[backend] } }

    /// The last failure of a location in this process.
    package func lastFailure(of location: LocationID) -> LastFailure? { lastFailures.withLock { $0[location] } }

    /// Records that a probe or a full read of a location failed. Its rank does not change.
    package func noteFailure(of location: LocationID, _ failure: AttemptFailure) {
        lastFailures.withLock { $0.record(failure, of: location, at: .now) }
    }

    /// The number of bytes that downloads have taken from each backend since the start, including running downloads.
    package var bytesTaken: [BackendID: Int64] { bytesByBackend.withLock { $0 } }

    /// Ranks a backend behind the others until a probe succeeds, whatever its attempts show.
    package func tripBreaker(_ backend: BackendID, because location: LocationID) {
        health.withLock { $0.trip(backend, for: location, at: .now) }
    }

    /// Claims the probes that are due, each with the location to read. The caller carries them out.
    package func beginProbes() -> [(backend: BackendID, location: LocationID)] {
        health.withLock { $0.beginProbes(at: .now) }
    }

    /// Records whether a probe of the backend worked.
    package func endProbe(of backend: BackendID, worked: Bool) {
        health.withLock { $0.endProbe(of: backend, worked: worked, at: .now) }
    }
}

// What running relays observe.
extension HealthRecord: RelayObserver {
    /// Counts one more running attempt at the backend.
    package func attemptRequested(in backend: BackendID) { health.withLock { $0.attemptRequested(in: backend) } }

    /// Records that the attempt is over, with its measurements for the backend.
    package func attemptEnded(in backend: BackendID, _ measure: AttemptMeasure) {
        health.withLock { $0.attemptEnded(in: backend, measure, at: .now) }
    }

    /// Records the throughput of a running attempt for future selections.
    package func recordThroughput(_ bytesPerSecond: Double, in backend: BackendID) {
        health.withLock { $0.recordThroughput(bytesPerSecond, in: backend, at: .now) }
    }

    /// Adds the bytes to the backend's total.
    package func recordBytes(_ count: Int64, of backend: BackendID) {
        bytesByBackend.withLock { $0[backend, default: 0] += count }
    }

    /// Estimates the throughput of each location by the health of its backend.
    package func estimates(of sources: [RelaySource]) -> [ThroughputEstimate] {
        health.withLock { health in
            sources.map { source in
                if let connections = source.connections, connections.counts.held >= connections.limit { return .avoided }
                return health.estimate(of: source.location, in: source.backend, at: .now)
            }
        }
    }

    /// Ranks the location last for a while, and counts the failure against its backend if the backend caused it.
    package func locationFailed(_ location: LocationID, in backend: BackendID, _ failure: AttemptFailure) {
        lastFailures.withLock { $0.record(failure, of: location, at: .now) }
        // A withdrawal, and a limit of Baton's own, are not failures of the location.
        guard failure.reason != .withdrawn, failure.reason != .busy, let fault = failure.fault else { return }
        health.withLock { $0.recordFailure(of: location, in: backend, fault, at: .now) }
    }

    /// Ends the low rank of a location that had failed.
    package func locationServed(_ location: LocationID) {
        health.withLock { $0.recordSuccess(of: location) }
    }
}

extension AttemptFailure {
    /// What is at fault; nil if the failure is local. A disk error concerns one file, and does not count against the
    /// backend.
    fileprivate var fault: Health.Fault? {
        switch failureClass {
        case .local: nil
        case .backend: reason == .diskError ? .location : .backend
        case .throttled: .throttled(retryAfter)
        case .location, .credentials: .location
        }
    }
}
