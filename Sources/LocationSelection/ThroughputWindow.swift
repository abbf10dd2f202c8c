/// Measures throughput, one window after the other. Only time in which the source could send counts: a client that does not
/// read does not make a source slow.
package struct ThroughputWindow: Sendable, Equatable {
    private let window: Duration
    private var bytes: Int64 = 0
    private var active: Duration = .zero
    private var activeSince: ContinuousClock.Instant?

    /// Creates an empty window.
    /// - Parameter window: the active time that a measurement covers.
    package init(window: Duration) { self.window = window }

    /// Adds the bytes received since the last call, and sets whether the source can send from now on.
    ///
    /// A window ends only with bytes: silence is handled as a stall.
    /// - Returns: bytes per second if a window is complete.
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
