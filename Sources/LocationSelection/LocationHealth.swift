package import ImageModel

/// Which locations failed lately, as this process saw it. Moves ranks, never status.
package struct LocationHealth: Sendable {
    /// How long a failure puts a location at the end.
    package var penalty: Duration
    private var failedUntil: [LocationID: ContinuousClock.Instant] = [:]

    /// Nobody has failed yet.
    package init(penalty: Duration) { self.penalty = penalty }

    /// The location failed just now.
    package mutating func recordFailure(of location: LocationID, at now: ContinuousClock.Instant) {
        failedUntil = failedUntil.filter { $0.value > now }
        failedUntil[location] = now + penalty
    }

    /// The location served well just now.
    package mutating func recordSuccess(of location: LocationID) { failedUntil[location] = nil }

    /// Whether a failure still counts.
    package func hasFailedLately(_ location: LocationID, at now: ContinuousClock.Instant) -> Bool {
        failedUntil[location].map { $0 > now } ?? false
    }
}
