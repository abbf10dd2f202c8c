/// An average in which older samples count less and less, by their age and not by their number.
package struct MovingAverage: Sendable, Equatable {
    /// How a sample moves the average.
    package enum Kind: Sendable, Equatable {
        /// Up and down alike.
        case plain
        /// Up at once and down slowly ("peak EWMA"): a slow answer is believed sooner than a quick one.
        case peak
    }

    /// The average; nil before the first sample.
    package private(set) var value: Double?
    private let kind: Kind
    private let memory: Duration
    private var sampledAt: ContinuousClock.Instant?

    /// An average without samples.
    /// - Parameter memory: the age at which half of the average comes from newer samples.
    package init(_ kind: Kind, memory: Duration = .seconds(10)) {
        self.kind = kind
        self.memory = memory
    }

    /// Takes a sample in.
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
        // Each sample counts for something, however soon it follows the last.
        let age = max((now - sampledAt) / memory, 0.05)
        self.value = value + (sample - value) * age / (1 + age)
    }
}
