package import ImageModel

/// What a running download could expect of a location if it went there now.
package enum ThroughputEstimate: Sendable, Equatable {
    /// So many bytes a second, by what was seen of its backend lately and what runs there already.
    case rate(Double)
    /// It may serve, but nobody knows how fast.
    case unknown
    /// Its backend's breaker is open, it asked to be left alone, all its connections are taken, or the location failed lately.
    case avoided
}

extension Health {
    /// What a download could expect of a location.
    package func estimate(of location: LocationID, in backend: BackendID, at now: ContinuousClock.Instant) -> ThroughputEstimate
    {
        let seen = self[backend]
        if seen.breaker.state != .closed || seen.rests(at: now) || locations.hasFailedLately(location, at: now) {
            return .avoided
        }
        return seen.rateForOneMore.map(ThroughputEstimate.rate) ?? .unknown
    }
}
