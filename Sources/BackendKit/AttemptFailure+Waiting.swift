// Failures of an attempt that waited in vain.
extension AttemptFailure {
    /// The backend's connections were all taken for so long.
    package static func busy(after wait: Duration) -> AttemptFailure {
        AttemptFailure(.busy, .throttled, detail: "all of the backend's connections were taken for \(wait)")
    }

    /// The backend's workers were all taken for so long, as by a mount that hangs. That is our own limit, as with connections.
    package static func noWorker(for wait: Duration) -> AttemptFailure {
        AttemptFailure(.busy, .throttled, detail: "no worker free for \(wait)")
    }

    /// Credentials were asked for and did not come.
    package static func noCredentials(within timeout: Duration) -> AttemptFailure {
        AttemptFailure(.stall, .backend, detail: "no new credentials for \(timeout)")
    }

    /// A location gave nothing for too long.
    package static func stall(_ what: String, for timeout: Duration) -> AttemptFailure {
        AttemptFailure(.stall, .backend, detail: "\(what) for \(timeout)")
    }
}
