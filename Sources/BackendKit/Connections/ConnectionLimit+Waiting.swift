extension ConnectionLimit {
    /// Asks for a connection and waits for it, for those who run as tasks.
    /// - Parameter timeout: how long to wait at most; the backend's own timeout bounds it as well.
    /// - Throws: `AttemptFailure` with the reason `busy` when there is none in time or the task is cancelled.
    package func place(
        for queueKey: QueueKey, within timeout: Duration
    ) async throws(AttemptFailure) -> ConnectionPermit {
        let (admissions, admission) = AsyncStream.makeStream(of: Bool.self)
        let (place, isAdmitted) = enter(queueKey) { admission.yield(true) }
        if isAdmitted { return place }
        let wait = min(timeout, timeout)
        let timer = Task {
            try await Task.sleep(for: wait)
            admission.yield(false)
        }
        defer { timer.cancel() }
        for await isAdmitted in admissions {
            if isAdmitted { return place }
            break
        }
        place.leave()
        throw .busy(after: wait)
    }
}

extension AttemptFailure {
    /// The backend's connections were all taken for so long.
    package static func busy(after wait: Duration) -> AttemptFailure {
        AttemptFailure(.busy, .throttled, detail: "all of the backend's connections were taken for \(wait)")
    }
}
