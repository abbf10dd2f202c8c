import Synchronization

/// Limits the rate of background reads: bytes read beyond the rate delay the next read.
package final class ReadRateLimiter: Sendable {
    private struct State {
        /// The time from which more may be read.
        var freeAt: ContinuousClock.Instant?
    }

    private let bytesPerSecond: Int64?
    /// A limiter that the bytes count against as well; nil for none.
    private let shared: ReadRateLimiter?
    private let state = Mutex(State())
    private let total = Atomic<Int64>(0)

    /// The number of bytes read under this limiter.
    package var bytesRead: Int64 { total.load(ordering: .relaxed) }

    /// - Parameter bytesPerSecond: nil or 0 for no limit.
    package init(bytesPerSecond: Int64?) {
        self.bytesPerSecond = bytesPerSecond.flatMap { $0 > 0 ? $0 : nil }
        shared = nil
    }

    /// Creates a limiter that counts its own bytes and shares another one's rate.
    package init(sharing other: ReadRateLimiter) {
        bytesPerSecond = nil
        shared = other
    }

    /// Counts bytes that were read, against the limit and in the total.
    func take(_ count: Int64, at now: ContinuousClock.Instant) {
        total.add(count, ordering: .relaxed)
        shared?.limit(count, at: now)
        limit(count, at: now)
    }

    private func limit(_ count: Int64, at now: ContinuousClock.Instant) {
        guard let bytesPerSecond else { return }
        state.withLock { state in
            state.freeAt = max(state.freeAt ?? now, now) + .nanoseconds(count * 1_000_000_000 / bytesPerSecond)
        }
    }

    /// Whether more may be read now. Reads may be one tick ahead, so that the rate is reached despite the tick interval.
    func allowsMore(at now: ContinuousClock.Instant) -> Bool {
        if let shared, !shared.allowsMore(at: now) { return false }
        return state.withLock { $0.freeAt.map { $0 - now <= .milliseconds(25) } ?? true }
    }
}
