/// How fast bytes come, one window after the other. Only time in which it was the source's turn counts: a client that does not
/// read makes no source slow.
package struct ThroughputWindow: Sendable, Equatable {
    private let window: Duration
    private var bytes: Int64 = 0
    private var active: Duration = .zero
    private var activeSince: ContinuousClock.Instant?

    /// Nothing seen yet.
    /// - Parameter window: how much active time makes a judgement.
    package init(window: Duration) { self.window = window }

    /// Takes in what came since the last call, and whose turn it is from now on.
    ///
    /// A window ends with bytes: silence is a stall's business.
    /// - Returns: bytes a second, when a window is over.
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
