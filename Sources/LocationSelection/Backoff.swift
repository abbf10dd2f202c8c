/// The wait before a retry: a random time below a bound that doubles ("full jitter"). Relays that failed together thus do not
/// retry together.
package struct Backoff: Sendable, Equatable {
    package let base: Duration
    package let limit: Duration
    private var doublings = 0

    /// Creates a back-off. The first wait is below `base`; none exceeds `limit`.
    package init(base: Duration, limit: Duration) {
        self.base = base
        self.limit = limit
    }

    package mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let bound = min(limit, base * (1 << min(doublings, 20)))
        doublings += 1
        return bound * Double.random(in: 0..<1, using: &generator)
    }

    /// Resets the bound to `base`.
    package mutating func reset() { doublings = 0 }
}
