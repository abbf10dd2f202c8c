/// A moving average in which samples lose weight with their age, not with their number.
package struct MovingAverage: Sendable, Equatable {
    /// The effect of a sample on the average.
    package enum Kind: Sendable, Equatable {
        /// Samples above and below the average have the same weight.
        case plain
        /// A higher sample replaces the average, and lower ones decrease it slowly ("peak EWMA"). A slow response thus takes
        /// effect sooner than a fast one.
        case peak
    }

    package private(set) var value: Double?
    private let kind: Kind
    private let memory: Duration
    private var sampledAt: ContinuousClock.Instant?

    /// Creates an average without samples.
    /// - Parameter memory: the age at which half of the average comes from newer samples.
    package init(_ kind: Kind, memory: Duration = .seconds(10)) {
        self.kind = kind
        self.memory = memory
    }

    package mutating func record(_ sample: Double, at now: ContinuousClock.Instant) {
        defer { sampledAt = now }
        guard let value, let sampledAt else {
            value = sample
            return
        }
        if kind == .peak, sample > value {
            self.value = sample
            return
        }
        // The lower bound gives each sample some weight, however soon it follows the last one.
        let age = max((now - sampledAt) / memory, 0.05)
        self.value = value + (sample - value) * age / (1 + age)
    }
}

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
