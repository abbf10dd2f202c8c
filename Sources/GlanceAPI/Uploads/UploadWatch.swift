import NIOCore
import Synchronization

/// Ends an upload whose client sends nothing for too long, by closing its connection: an image must not be `saving` for ever.
final class UploadWatch: Sendable {
    private let timeout: Duration
    private let latest = Mutex(ContinuousClock.now)

    /// - Parameter timeout: how long nothing may come.
    init(timeout: Duration) { self.timeout = timeout }

    /// Something came.
    func note() { latest.withLock { $0 = .now } }

    /// Watches while `work` runs.
    func during<Value: Sendable>(
        _ channel: any Channel, _ work: () async throws -> Value
    ) async rethrows -> Value {
        note()
        let watcher = Task { [self] in
            while true {
                let end = latest.withLock { $0 } + timeout
                if end <= .now { break }
                try await Task.sleep(until: end)
            }
            channel.close(promise: nil)
        }
        defer { watcher.cancel() }
        return try await work()
    }
}
