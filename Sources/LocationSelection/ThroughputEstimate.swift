package import ImageModel

extension Health {
    package func estimate(of location: LocationID, in backend: BackendID, at now: ContinuousClock.Instant) -> ThroughputEstimate
    {
        let seen = self[backend]
        if seen.breaker.state != .closed || seen.rests(at: now) || locations.hasFailedLately(location, at: now) {
            return .avoided
        }
        return seen.rateForOneMore.map(ThroughputEstimate.rate) ?? .unknown
    }
}
