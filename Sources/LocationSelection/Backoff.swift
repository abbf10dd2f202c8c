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

/// A small random number generator that gives the same numbers for the same seed, so that decisions are reproducible (Steele,
/// Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
package struct SplitMix64: RandomNumberGenerator, Sendable, Equatable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
