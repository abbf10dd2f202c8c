package import ImageModel

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

/// Measures throughput, one window after the other. Only time in which the source could send counts: a client that does not
/// read does not make a source slow.
package struct ThroughputWindow: Sendable, Equatable {
    private let window: Duration
    private var bytes: Int64 = 0
    private var active: Duration = .zero
    private var activeSince: ContinuousClock.Instant?

    /// Creates an empty window.
    /// - Parameter window: the active time that a measurement covers.
    package init(window: Duration) { self.window = window }

    /// Adds the bytes received since the last call, and sets whether the source can send from now on.
    ///
    /// A window ends only with bytes: silence is handled as a stall.
    /// - Returns: bytes per second if a window is complete.
    package mutating func observe(
        _ count: Int64, isActive: Bool, at now: ContinuousClock.Instant
    ) -> Double? {
        if let activeSince { active += now - activeSince }
        activeSince = isActive ? now : nil
        bytes += count
        guard count > 0, active >= window, active > .zero else { return nil }
        defer {
            bytes = 0
            active = .zero
        }
        return Double(bytes) / (active / .seconds(1))
    }
}

/// The throughput that a running download could expect at a location now.
package enum ThroughputEstimate: Sendable, Equatable {
    /// Bytes per second, by the backend's recent measurements and its running attempts.
    case rate(Double)
    /// It may serve, but there are no measurements.
    case unknown
    /// It is to be avoided: its backend's breaker is open, the backend asked for a pause, all the backend's connections are in
    /// use, or the location failed recently.
    case avoided
}

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
