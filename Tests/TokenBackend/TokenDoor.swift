package import BackendKit
import Synchronization
import Waiting

/// Credentials for tests: issues and counts tokens, as slowly or as badly as a test wants.
package final class TokenDoor: RenewableCredentials {
    private struct State {
        var generation = 0
        var valid = 1
        var fetches = 0
        var waiting = 0
        var refusal: AttemptFailure?
        var isHeld = false
        var knowsTheEnd = false
        var fetch: Task<AttemptFailure?, Never>?
    }

    private let state = Mutex(State())

    /// A door that has issued no token yet.
    package init() {}

    /// See `RenewableCredentials`.
    package var generation: Int { state.withLock { $0.generation } }

    /// Whether there is a token that the door does not know to be invalid.
    package var isReady: Bool { state.withLock { $0.generation > 0 && !$0.knowsTheEnd } }

    /// How often a token was fetched.
    package var fetches: Int { state.withLock { $0.fetches } }

    /// How many callers wait for a token.
    package var waiting: Int { state.withLock { $0.waiting } }

    /// The token that a request sends now.
    package var token: String { "token \(generation)" }

    /// Whether a token is the valid one.
    package func admits(_ token: String?) -> Bool { state.withLock { token == "token \($0.valid)" } }

    /// Invalidates the tokens issued so far.
    /// - Parameter isKnown: whether the door knows that before a request is refused.
    package func expire(isKnown: Bool = false) {
        state.withLock { state in
            state.valid = state.generation + 1
            state.knowsTheEnd = isKnown
        }
    }

    /// Stops issuing tokens, or resumes.
    package func refuse(with failure: AttemptFailure?) { state.withLock { $0.refusal = failure } }

    /// Holds up all callers, or releases them.
    package func hold(_ isHeld: Bool = true) { state.withLock { $0.isHeld = isHeld } }

    /// Issues the next token, once for all waiting callers.
    package func renew(beyond generation: Int) async throws(AttemptFailure) {
        let fetch: Task<AttemptFailure?, Never>? = state.withLock { state in
            guard state.generation <= generation else { return nil }
            state.waiting += 1
            if let fetch = state.fetch { return fetch }
            let fetch = Task { await self.fetch() }
            state.fetch = fetch
            return fetch
        }
        guard let fetch else { return }
        let failure = await fetch.value
        state.withLock { $0.waiting -= 1 }
        if let failure { throw failure }
    }

    private func fetch() async -> AttemptFailure? {
        try? await eventually("the test to let log-ins go on") { state.withLock { !$0.isHeld } }
        return state.withLock { state in
            state.fetch = nil
            state.fetches += 1
            if let refusal = state.refusal { return refusal }
            state.generation += 1
            state.knowsTheEnd = false
            return nil
        }
    }
}
