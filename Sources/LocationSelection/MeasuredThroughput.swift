/// What a download measured at a location that it left for a faster one.
package struct MeasuredThroughput: Sendable, Equatable {
    private let rate: Double
    private let measuredAt: ContinuousClock.Instant

    /// How long it counts for more than what is known of the backend: else two locations that are slow for this client only would
    /// take turns.
    private static let memory: Duration = .seconds(300)

    /// - Parameter rate: bytes a second.
    package init(rate: Double, at now: ContinuousClock.Instant) {
        self.rate = rate
        measuredAt = now
    }

    /// What to expect there, in the light of what is known of its backend.
    package func applied(to estimate: ThroughputEstimate, at now: ContinuousClock.Instant) -> ThroughputEstimate {
        estimate == .avoided || now - measuredAt >= Self.memory ? estimate : .rate(rate)
    }
}
