internal import HTTPTypes
internal import NIOPosix
internal import Synchronization

/// A few threads for work that takes a processor for milliseconds, so that nothing else waits behind it; and only so much such work at
/// a time.
final class ComputePool: Sendable {
    /// The process's own.
    static let shared = ComputePool(threads: 2, limit: 64)

    private let threads: NIOThreadPool
    private let limit: Int
    private let waiting = Mutex(0)

    /// - Parameter limit: how much may run and wait.
    init(threads count: Int, limit: Int) {
        self.limit = limit
        threads = NIOThreadPool(numberOfThreads: count)
        threads.start()
    }

    /// Does the work on one of the threads.
    /// - Throws: what the work throws; `APIError` 503 if too much of it waits.
    func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        let isAdmitted = waiting.withLock { waiting in
            guard waiting < limit else { return false }
            waiting += 1
            return true
        }
        guard isAdmitted else {
            var error = APIError(.serviceUnavailable, "Too many large requests are being read: try again in a moment.")
            error.headers[.retryAfter] = "1"
            throw error
        }
        defer { waiting.withLock { $0 -= 1 } }
        return try await threads.runIfActive(work)
    }
}
