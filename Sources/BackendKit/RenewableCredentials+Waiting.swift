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

    /// A variant of `renew(beyond:)` with a timeout. A fetch that takes longer continues for other callers.
    /// - Throws: `AttemptFailure`: the fetch's own, or `stall` if there is no result in time or the task is cancelled.
    package func renew(beyond generation: Int, within timeout: Duration) async throws(AttemptFailure) {
        let late = AttemptFailure.noCredentials(within: timeout)
        let (answers, answer) = AsyncStream.makeStream(of: AttemptFailure?.self)
        renew(beyond: generation) { answer.yield($0) }
        let timer = Task {
            try await Task.sleep(for: timeout)
            answer.yield(late)
        }
        defer { timer.cancel() }
        for await failure in answers {
            if let failure { throw failure }
            return
        }
        throw late
    }
}

extension AttemptFailure {
    /// The failure after a renewal of credentials timed out.
    package static func noCredentials(within timeout: Duration) -> AttemptFailure {
        AttemptFailure(.stall, .backend, detail: "no new credentials for \(timeout)")
    }
}
