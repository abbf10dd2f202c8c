package import ImageModel

/// The throughput that a running download could expect at a location now.
package enum ThroughputEstimate: Sendable, Equatable {
    /// Bytes per second, by the backend's recent measurements and its running attempts.
    case rate(Double)
    /// The location may serve, but there are no measurements.
    case unknown
    /// The location is to be avoided: its backend's breaker is open, the backend asked for a pause, all the backend's connections
    /// are in use, or the location failed recently.
    case avoided
}

extension Health {
    /// The estimate for a location.
    package func estimate(of location: LocationID, in backend: BackendID, at now: ContinuousClock.Instant) -> ThroughputEstimate
    {
        let seen = self[backend]
        if seen.breaker.state != .closed || seen.rests(at: now) || locations.hasFailedLately(location, at: now) {
            return .avoided
        }
        return seen.rateForOneMore.map(ThroughputEstimate.rate) ?? .unknown
    }
}
