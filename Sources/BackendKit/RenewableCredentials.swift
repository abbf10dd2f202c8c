/// Credentials that expire, such as a token.
///
/// A driver reads its credentials while it creates a request, on a transfer loop, and never waits there. The code that carries
/// out requests ensures that they are ready first, and renews them once if a response says that they are no longer valid.
package protocol RenewableCredentials: Sendable {
    /// The number of fetches so far: 0 before the first one. It identifies the credentials that a request was made with.
    var generation: Int { get }

    /// Whether a request made now would carry credentials that should be valid.
    var isReady: Bool { get }

    /// Fetches credentials, unless some newer than `generation` exist. Concurrent callers share one fetch.
    /// - Throws: `AttemptFailure`: of class `credentials` if the login is refused, `backend` if the fetch failed.
    func renew(beyond generation: Int) async throws(AttemptFailure)
}

// Variants of `renew(beyond:)` for callers that carry out requests.
extension RenewableCredentials {
    /// A variant of `renew(beyond:)` for callers that can't suspend.
    /// - Parameter done: called once, on any thread; with nil once the credentials are renewed.
    package func renew(beyond generation: Int, done: @escaping @Sendable (AttemptFailure?) -> Void) {
        Task {
            do throws(AttemptFailure) {
                try await renew(beyond: generation)
                done(nil)
            } catch {
                done(error)
            }
        }
    }
}
