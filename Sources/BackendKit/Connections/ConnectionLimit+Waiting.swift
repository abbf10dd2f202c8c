extension ConnectionLimit {
    /// Requests a connection and suspends the task until it is granted.
    /// - Parameter timeout: the longest wait; the backend's own timeout bounds it as well.
    /// - Throws: `AttemptFailure` with the reason `busy` if no connection is free in time or the task is cancelled.
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
    /// The failure after waiting for one of the backend's connections, all of which were taken.
    package static func busy(after wait: Duration) -> AttemptFailure {
        AttemptFailure(.busy, .throttled, detail: "all of the backend's connections were taken for \(wait)")
    }
}
