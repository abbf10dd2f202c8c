internal import Synchronization

/// Whether the server is about to stop: it answers what comes, is not ready for more, and ends its connections one by one.
public final class Drain: Sendable {
    private struct State {
        var hasBegun = false
        var actions: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())

    /// A server that serves.
    public init() {}

    /// Whether it has begun.
    public var hasBegun: Bool { state.withLock { $0.hasBegun } }

    /// Begins it, once.
    public func begin() {
        let actions = state.withLock { state in
            state.hasBegun = true
            defer { state.actions = [] }
            return state.actions
        }
        for action in actions { action() }
    }

    /// Has something done when it begins, or now if it has begun.
    func whenBegun(_ action: @escaping @Sendable () -> Void) {
        let isLate = state.withLock { state in
            if !state.hasBegun { state.actions.append(action) }
            return state.hasBegun
        }
        if isLate { action() }
    }
}
