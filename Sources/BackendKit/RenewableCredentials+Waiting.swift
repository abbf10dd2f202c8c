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
