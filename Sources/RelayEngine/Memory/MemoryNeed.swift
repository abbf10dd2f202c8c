import ImageModel

/// How much memory a relay's bytes may take, from bodyWindow to the client.
struct MemoryNeed: Sendable, Equatable {
    /// The smallest window that it runs with: one chunk.
    let smallestWindow: Int64
    /// What it takes with that window.
    let minimum: Int64
    /// What it takes with the window of the policy.
    let full: Int64

    init(smallestWindow: Int64, minimum: Int64, full: Int64) {
        self.smallestWindow = smallestWindow
        self.minimum = minimum
        self.full = full
    }

    /// What a relay with that plan takes.
    init(_ plan: RelayPlan, _ policy: RelayPolicy) {
        smallestWindow = Self.smallestWindow(plan, policy)
        minimum = Self.bytes(smallestWindow, plan, policy)
        full = max(minimum, Self.bytes(policy.window, plan, policy))
    }

    private static func smallestWindow(_ plan: RelayPlan, _ policy: RelayPolicy) -> Int64 {
        var chunk = policy.slowEdge
        if case .chunks(let layout) = plan.verification { chunk = layout.chunkSize }
        return min(policy.window, chunk)
    }

    /// The window, what waits to be verified, and what still comes when reading is stopped.
    private static func bytes(_ window: Int64, _ plan: RelayPlan, _ policy: RelayPolicy) -> Int64 {
        var unverified: Int64 = 0
        switch plan.verification {
        case .digest: unverified = policy.tail
        case .chunks(let layout): unverified = RelayStateMachine.unverifiedLimit(window, layout, policy)
        case .none: break
        }
        return min(window + unverified, plan.end - plan.start) + policy.batch
    }
}
