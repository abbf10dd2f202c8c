package import ImageModel

/// The recently failed locations, as seen by this process. They change ranks, never a status.
package struct LocationHealth: Sendable {
    /// How long a failure ranks a location last.
    package var penalty: Duration
    private var failedUntil: [LocationID: ContinuousClock.Instant] = [:]

    package init(penalty: Duration) { self.penalty = penalty }

    /// Records a failure.
    package mutating func recordFailure(of location: LocationID, at now: ContinuousClock.Instant) {
        failedUntil = failedUntil.filter { $0.value > now }
        failedUntil[location] = now + penalty
    }

    /// Records a success, which clears a failure.
    package mutating func recordSuccess(of location: LocationID) { failedUntil[location] = nil }

    /// Whether a failure still counts.
    package func hasFailedLately(_ location: LocationID, at now: ContinuousClock.Instant) -> Bool {
        failedUntil[location].map { $0 > now } ?? false
    }
}
