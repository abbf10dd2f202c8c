// For those who carry out requests.
extension RenewableCredentials {
    /// As `renew(beyond:)`, for those who can't wait.
    /// - Parameter done: called once, on any thread; with nil when the credentials are there.
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

    /// As `renew(beyond:)`, for those who wait only so long; a fetch that takes longer goes on for others.
    /// - Throws: `AttemptFailure`: the fetch's own, or `stall` when there is no answer in time or the task is cancelled.
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
    /// Credentials were asked for and did not come.
    package static func noCredentials(within timeout: Duration) -> AttemptFailure {
        AttemptFailure(.stall, .backend, detail: "no new credentials for \(timeout)")
    }
}
