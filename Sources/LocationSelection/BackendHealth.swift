/// This process's recent measurements of one backend.
package struct BackendHealth: Sendable, Equatable {
    /// The circuit breaker.
    package var breaker: Breaker
    /// The time to first byte, in seconds.
    package private(set) var firstByte = MovingAverage(.peak)
    /// The throughput in bytes per second, over the time in which bytes were wanted.
    package private(set) var throughput = MovingAverage(.plain)
    /// The number of running attempts.
    package private(set) var running = 0
    /// The time until which the backend asked for no requests.
    package private(set) var restsUntil: ContinuousClock.Instant?

    /// The values assumed for a backend without measurements: neither so good that it attracts all load, nor so bad that it is
    /// never tried.
    private static let assumedFirstByte = 0.05
    private static let assumedThroughput = 100e6
    /// The smallest read in bytes that counts as a sample. Shorter reads measure latency rather than throughput.
    private static let smallestSample: Int64 = 256 << 10

    package init(limits: Breaker.Limits = Breaker.Limits()) { breaker = Breaker(limits: limits) }

    /// Whether the backend asked for no requests.
    package func rests(at now: ContinuousClock.Instant) -> Bool { restsUntil.map { $0 > now } ?? false }

    /// The estimated duration in seconds of a read of `size` bytes, if the throughput is shared with all running attempts.
    package func cost(of size: Int64) -> Double {
        let seconds =
            (firstByte.value ?? Self.assumedFirstByte) + Double(size) / max(throughput.value ?? Self.assumedThroughput, 1)
        return seconds * Double(running + 1)
    }

    /// The throughput in bytes per second that one more read can expect, shared with all running attempts; nil without
    /// measurements.
    package var rateForOneMore: Double? { throughput.value.map { $0 / Double(running + 1) } }

    /// Records the throughput of a running attempt.
    package mutating func recordThroughput(_ bytesPerSecond: Double, at now: ContinuousClock.Instant) {
        throughput.record(bytesPerSecond, at: now)
    }

    /// Records the start of an attempt.
    package mutating func attemptBegan() { running += 1 }

    /// Records the end of an attempt.
    package mutating func attemptEnded(_ measure: AttemptMeasure, at now: ContinuousClock.Instant) {
        running = max(0, running - 1)
        if measure.isComplete { breaker.recordSuccess() }
        if let time = measure.firstByte { firstByte.record(time / .seconds(1), at: now) }
        if measure.bytes >= Self.smallestSample, measure.active > .zero {
            throughput.record(Double(measure.bytes) / (measure.active / .seconds(1)), at: now)
        }
    }

    /// Records that the backend asked for no requests for a while.
    package mutating func rest(for time: Duration, at now: ContinuousClock.Instant) {
        restsUntil = max(restsUntil ?? now, now + time)
    }
}

/// The measurements of one attempt.
package struct AttemptMeasure: Sendable, Equatable {
    /// Whether it delivered all requested bytes. A cancelled attempt says nothing about the backend.
    package var isComplete: Bool
    /// The time from the request to the first byte; nil if none arrived.
    package var firstByte: Duration?
    /// The number of bytes received.
    package var bytes: Int64
    /// The time that they took, without pauses of reading.
    package var active: Duration

    package init(isComplete: Bool, firstByte: Duration?, bytes: Int64, active: Duration) {
        self.isComplete = isComplete
        self.firstByte = firstByte
        self.bytes = bytes
        self.active = active
    }
}
