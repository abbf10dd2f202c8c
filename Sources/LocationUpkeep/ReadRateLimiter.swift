import Synchronization

/// How fast reads in the background may go together: what was read beyond the rate has to be waited for.
package final class ReadRateLimiter: Sendable {
    private struct State {
        /// From that time on more may be read.
        var freeAt: ContinuousClock.Instant?
    }

    private let bytesPerSecond: Int64?
    /// Whose rate this one counts against as well.
    private let shared: ReadRateLimiter?
    private let state = Mutex(State())
    private let total = Atomic<Int64>(0)

    /// All bytes that were read at this pace.
    package var bytesRead: Int64 { total.load(ordering: .relaxed) }

    /// - Parameter bytesPerSecond: nil or nothing for no limit.
    package init(bytesPerSecond: Int64?) {
        self.bytesPerSecond = bytesPerSecond.flatMap { $0 > 0 ? $0 : nil }
        shared = nil
    }

    /// Bytes of their own, at the rate of another: both together keep to it.
    package init(sharing other: ReadRateLimiter) {
        bytesPerSecond = nil
        shared = other
    }

    /// Bytes were read.
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

    /// Whether more may be read now. A tick's worth ahead is allowed, so that the rate is reached in spite of the ticks.
    func allowsMore(at now: ContinuousClock.Instant) -> Bool {
        if let shared, !shared.allowsMore(at: now) { return false }
        return state.withLock { $0.freeAt.map { $0 - now <= .milliseconds(25) } ?? true }
    }
}
