import ImageModel

/// The memory that a relay's bytes may take, from the receive window to the client.
struct MemoryNeed: Sendable, Equatable {
    /// The smallest window that it can run with: one chunk.
    let smallestWindow: Int64
    /// The need with that window, in bytes.
    let minimum: Int64
    /// The need with the policy's window, in bytes.
    let full: Int64

    init(smallestWindow: Int64, minimum: Int64, full: Int64) {
        self.smallestWindow = smallestWindow
        self.minimum = minimum
        self.full = full
    }

    /// The need of a relay with that plan.
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

    /// The window, the unverified bytes, and the bytes that still arrive after reading was stopped.
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
