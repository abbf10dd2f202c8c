import HTTPTypes
import Synchronization

/// Whether the server is shutting down. A draining server still answers requests, reports that it is not ready, and ends its
/// connections one by one.
package final class Drain: Sendable {
    private struct State {
        var hasBegun = false
        var actions: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())

    package init() {}

    package var hasBegun: Bool { state.withLock { $0.hasBegun } }

    /// Begins draining. Runs the registered actions the first time.
    package func begin() {
        let actions = state.withLock { state in
            state.hasBegun = true
            defer { state.actions = [] }
            return state.actions
        }
        for action in actions { action() }
    }

    /// Refuses a request that would leave work in the background, because the server is about to stop.
    /// - Throws: `APIError` 503 while the server drains.
    package func refuseNewWork() throws(APIError) {
        guard hasBegun else { return }
        var error = APIError(
            .serviceUnavailable, "The server is shutting down and starts no new work: try again in a moment.")
        error.headers[.retryAfter] = "1"
        throw error
    }

    /// Runs an action when draining begins, or at once if it has begun.
    func whenBegun(_ action: @escaping @Sendable () -> Void) {
        let isLate = state.withLock { state in
            if !state.hasBegun { state.actions.append(action) }
            return state.hasBegun
        }
        if isLate { action() }
    }
}
