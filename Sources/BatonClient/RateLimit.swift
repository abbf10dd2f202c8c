/// A limit on the bytes received since the start of a download. A value: the time is an argument.
struct RateLimit: Sendable {
    private let bytesPerSecond: Int64?
    private let started: ContinuousClock.Instant
    private var received: Int64 = 0

    /// - Parameter bytesPerSecond: nil for no limit.
    init(_ bytesPerSecond: Int64?, startedAt started: ContinuousClock.Instant) {
        self.bytesPerSecond = bytesPerSecond
        self.started = started
    }

    mutating func receive(_ count: Int64) { received += count }

    /// Whether more bytes have arrived than the limit allows.
    func isAhead(at now: ContinuousClock.Instant) -> Bool {
        guard let bytesPerSecond else { return false }
        return Double(received) > max(.zero, now - started) / .seconds(1) * Double(bytesPerSecond)
    }
}
