/// What this process has seen of one backend lately.
package struct BackendHealth: Sendable, Equatable {
    /// Whether it is worth being asked.
    package var breaker: Breaker
    /// Seconds until the first byte of an answer.
    package private(set) var firstByte = MovingAverage(.peak)
    /// Bytes a second, over the time in which somebody wanted them.
    package private(set) var throughput = MovingAverage(.plain)
    /// Attempts that run now.
    package private(set) var running = 0
    /// Until when it asked to be left alone.
    package private(set) var restsUntil: ContinuousClock.Instant?

    /// What is assumed of a backend that nobody has measured yet: neither so good that all rush to it, nor so bad that nobody tries.
    private static let assumedFirstByte = 0.05
    private static let assumedThroughput = 100e6
    /// Shorter reads say more about the way there than about the throughput.
    private static let smallestSample: Int64 = 256 << 10

    /// Nothing seen yet.
    package init(limits: Breaker.Limits = Breaker.Limits()) { breaker = Breaker(limits: limits) }

    /// Whether it asked to be left alone.
    package func rests(at now: ContinuousClock.Instant) -> Bool { restsUntil.map { $0 > now } ?? false }

    /// What a read of `size` bytes would cost now, in seconds, were the throughput shared with all that runs.
    package func cost(of size: Int64) -> Double {
        let seconds =
            (firstByte.value ?? Self.assumedFirstByte) + Double(size) / max(throughput.value ?? Self.assumedThroughput, 1)
        return seconds * Double(running + 1)
    }

    /// Bytes a second that one more read could expect, were the throughput shared with all that runs; nil before anything was measured.
    package var rateForOneMore: Double? { throughput.value.map { $0 / Double(running + 1) } }

    /// An attempt that goes on brings so many bytes a second.
    package mutating func recordThroughput(_ bytesPerSecond: Double, at now: ContinuousClock.Instant) {
        throughput.record(bytesPerSecond, at: now)
    }

    /// An attempt began.
    package mutating func attemptBegan() { running += 1 }

    /// An attempt ended, well or not.
    package mutating func attemptEnded(_ measure: AttemptMeasure, at now: ContinuousClock.Instant) {
        running = max(0, running - 1)
        if measure.isComplete { breaker.recordSuccess() }
        if let time = measure.firstByte { firstByte.record(time / .seconds(1), at: now) }
        if measure.bytes >= Self.smallestSample, measure.active > .zero {
            throughput.record(Double(measure.bytes) / (measure.active / .seconds(1)), at: now)
        }
    }

    /// It asked to be left alone.
    package mutating func rest(for time: Duration, at now: ContinuousClock.Instant) {
        restsUntil = max(restsUntil ?? now, now + time)
    }
}

/// What one attempt says about its backend.
package struct AttemptMeasure: Sendable, Equatable {
    /// Whether it brought all that it was asked for. One that was cancelled says neither well nor ill of the backend.
    package var isComplete: Bool
    /// From the request to the first byte; nil if none came.
    package var firstByte: Duration?
    /// The bytes that came.
    package var bytes: Int64
    /// How long they took, without the time in which reading was paused.
    package var active: Duration

    /// A measure with every property given.
    package init(isComplete: Bool, firstByte: Duration?, bytes: Int64, active: Duration) {
        self.isComplete = isComplete
        self.firstByte = firstByte
        self.bytes = bytes
        self.active = active
    }
}
