import HTTPTypes
import Synchronization

/// Whether the server is about to stop: it answers what comes, is not ready for more, and ends its connections one by one.
package final class Drain: Sendable {
    private struct State {
        var hasBegun = false
        var actions: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())

    /// A server that serves.
    package init() {}

    /// Whether it has begun.
    package var hasBegun: Bool { state.withLock { $0.hasBegun } }

    /// Begins it, once.
    package func begin() {
        let actions = state.withLock { state in
            state.hasBegun = true
            defer { state.actions = [] }
            return state.actions
        }
        for action in actions { action() }
    }

    /// Refuses a request that leaves work behind its answer: the next server does such work from now on.
    package func refuseNewWork() throws(APIError) {
        guard hasBegun else { return }
        var error = APIError(
            .serviceUnavailable, "The server is about to stop and begins no more reads. Try again in a moment.")
        error.headers[.retryAfter] = "1"
        throw error
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
