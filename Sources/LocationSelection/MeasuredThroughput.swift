/// The throughput that a download measured at a location that it left for a faster one.
package struct MeasuredThroughput: Sendable, Equatable {
    private let rate: Double
    private let measuredAt: ContinuousClock.Instant

    /// How long the measurement overrides the backend's estimate. Without it a download would alternate between two locations
    /// that are slow for this client only.
    private static let memory: Duration = .seconds(300)

    /// - Parameter rate: bytes per second.
    package init(rate: Double, at now: ContinuousClock.Instant) {
        self.rate = rate
        measuredAt = now
    }

    /// The estimate for the location, given the estimate for its backend.
    package func applied(to estimate: ThroughputEstimate, at now: ContinuousClock.Instant) -> ThroughputEstimate {
        estimate == .avoided || now - measuredAt >= Self.memory ? estimate : .rate(rate)
    }
}
