import HTTPTypes
import NIOPosix
import Synchronization

/// A few threads for work that takes a processor for milliseconds, so that nothing else waits behind it. Callers take turns.
final class ComputePool: Sendable {
    /// The process's own.
    static let shared = ComputePool(threads: 2, limit: 64)

    private let threads: NIOThreadPool
    private let turns: Mutex<ComputeTurns<CheckedContinuation<Bool, Never>>>

    /// - Parameter limit: how many bodies of requests may be read and wait.
    init(threads count: Int, limit: Int) {
        turns = Mutex(ComputeTurns(threads: count, limit: limit))
        threads = NIOThreadPool(numberOfThreads: count)
        threads.start()
    }

    /// Reads the body of a request. It takes memory while it waits, so only so many of them do.
    /// - Parameter caller: who sent it. When too many wait, one of the caller's who has the most is refused.
    /// - Throws: what the work throws; `APIError` 503 if it is refused.
    func read<Value: Sendable>(for caller: String, _ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await run(.body, for: caller, work)
    }

    /// Writes an answer, whose data is in memory anyway.
    /// - Parameter caller: who gets it.
    /// - Throws: what the work throws.
    func write<Value: Sendable>(for caller: String, _ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await run(.answer, for: caller, work)
    }

    private func run<Value: Sendable>(
        _ kind: ComputeTurns<CheckedContinuation<Bool, Never>>.Kind, for caller: String,
        _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        let hasTurn = await withCheckedContinuation { (waiter: CheckedContinuation<Bool, Never>) in
            let decided = turns.withLock { $0.enter(waiter, kind, for: caller) }
            for (waiter, hasTurn) in decided { waiter.resume(returning: hasTurn) }
        }
        guard hasTurn else {
            var error = APIError(.serviceUnavailable, "Too many large requests are being read: try again in a moment.")
            error.headers[.retryAfter] = "1"
            throw error
        }
        defer { turns.withLock { $0.leave(kind, caller) }?.resume(returning: true) }
        try Task.checkCancellation()
        return try await threads.runIfActive(work)
    }
}
