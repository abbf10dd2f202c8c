// Failures of attempts that waited longer than a timeout.
extension AttemptFailure {
    /// All of the backend's connections were in use for the whole wait.
    package static func busy(after wait: Duration) -> AttemptFailure {
        AttemptFailure(.busy, .throttled, detail: "all of the backend's connections were in use for \(wait)")
    }

    /// All of the backend's workers were busy for the whole wait, for example because a mount hangs. The number of workers is a
    /// limit of Baton, like that of connections, so the failure does not count against the backend.
    package static func noWorker(for wait: Duration) -> AttemptFailure {
        AttemptFailure(.busy, .throttled, detail: "no worker of the backend was free for \(wait)")
    }

    /// New credentials did not arrive in time.
    package static func noCredentials(within timeout: Duration) -> AttemptFailure {
        AttemptFailure(.stall, .backend, detail: "no new credentials arrived within \(timeout)")
    }

    /// The location sent nothing for too long.
    /// - Parameter what: what did not arrive, for example `no byte`.
    package static func stall(_ what: String, for timeout: Duration) -> AttemptFailure {
        AttemptFailure(.stall, .backend, detail: "\(what) for \(timeout)")
    }
}
