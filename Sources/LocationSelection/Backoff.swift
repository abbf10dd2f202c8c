/// How long to wait before coming back: a random time below a bound that doubles ("full jitter"), so that many relays that
/// failed together don't come back together.
package struct Backoff: Sendable, Equatable {
    /// The first bound.
    package let base: Duration
    /// The largest bound.
    package let limit: Duration
    private var doublings = 0

    /// The first wait is below `base`, none is above `limit`.
    package init(base: Duration, limit: Duration) {
        self.base = base
        self.limit = limit
    }

    /// The next wait.
    package mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let bound = min(limit, base * (1 << min(doublings, 20)))
        doublings += 1
        return bound * Double.random(in: 0..<1, using: &generator)
    }

    /// The next wait is a first one again.
    package mutating func reset() { doublings = 0 }
}
