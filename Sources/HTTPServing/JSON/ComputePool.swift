import FairQueueing
import HTTPTypes
import NIOPosix
import Synchronization

/// A few threads for work that occupies a processor for milliseconds, so that event loops stay responsive. Shares get threads
/// in fair turns.
final class ComputePool: Sendable {
    /// The pool of this process.
    static let shared = ComputePool(threads: 2, limit: 64)

    private let threads: NIOThreadPool
    private let turns: Mutex<ComputeTurns<CheckedContinuation<Bool, Never>>>

    /// - Parameters:
    ///   - count: the number of threads.
    ///   - limit: the most request bodies that may be read or wait to be read.
    init(threads count: Int, limit: Int) {
        turns = Mutex(ComputeTurns(threads: count, limit: limit))
        threads = NIOThreadPool(numberOfThreads: count)
        threads.start()
    }

    /// Parses a request body on a thread of the pool. Waiting bodies occupy memory, so their number is limited.
    /// - Parameter share: the sender's share (`APIContext.share`). Above the limit, the pool refuses a body of the share with the
    ///   most.
    /// - Throws: the error of `work`; `APIError` 503 if the body is refused.
    func read<Value: Sendable>(for share: String, _ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await run(.body, for: share, work)
    }

    /// Encodes a response, whose data is in memory in any case, on a thread of the pool.
    /// - Parameter share: the recipient's share.
    /// - Throws: the error of `work`.
    func write<Value: Sendable>(for share: String, _ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await run(.answer, for: share, work)
    }

    private func run<Value: Sendable>(
        _ kind: ComputeTurns<CheckedContinuation<Bool, Never>>.Kind, for share: String,
        _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        let hasTurn = await withCheckedContinuation { (waiter: CheckedContinuation<Bool, Never>) in
            let decided = turns.withLock { $0.enter(waiter, kind, for: share) }
            for (waiter, hasTurn) in decided { waiter.resume(returning: hasTurn) }
        }
        guard hasTurn else {
            var error = APIError(.serviceUnavailable, "Too many large requests are being read: try again in a moment.")
            error.headers[.retryAfter] = "1"
            throw error
        }
        defer { turns.withLock { $0.leave(kind, share) }?.resume(returning: true) }
        try Task.checkCancellation()
        return try await threads.runIfActive(work)
    }
}

/// Decides which waiting work gets the next thread, and which is refused. A value: it knows neither threads nor time.
struct ComputeTurns<Waiter> {
    /// The kind of work.
    enum Kind {
        /// Parsing a request body; the number of bodies is limited.
        case body
        /// Encoding a response.
        case answer
    }

    private struct Waiting {
        let waiter: Waiter
        let kind: Kind
        let share: String
    }

    private let limit: Int
    private var free: Int
    private var last = 0
    private var order = FairQueue<Int>()
    private var waiting: [Int: Waiting] = [:]
    /// The number of bodies per share, parsed or waiting.
    private var bodies: [String: Int] = [:]

    /// - Parameters:
    ///   - threads: how much work runs at a time.
    ///   - limit: the most bodies that are parsed or wait.
    init(threads: Int, limit: Int) {
        free = threads
        self.limit = limit
    }

    /// Adds a waiter.
    /// - Returns: the waiters that are decided now: each gets a thread or is refused.
    mutating func enter(_ waiter: Waiter, _ kind: Kind, for share: String) -> [(waiter: Waiter, hasTurn: Bool)] {
        var outcome: [(waiter: Waiter, hasTurn: Bool)] = []
        if kind == .body {
            if bodies.values.reduce(0, +) >= limit {
                guard let refused = dropOne(inFavourOf: share) else { return [(waiter, false)] }
                outcome.append((refused, false))
            }
            bodies[share, default: 0] += 1
        }
        if free > 0 {
            free -= 1
            outcome.append((waiter, true))
        } else {
            last += 1
            waiting[last] = Waiting(waiter: waiter, kind: kind, share: share)
            order.add(last, [share])
        }
        return outcome
    }

    /// Frees the thread of finished work.
    /// - Returns: the waiter that gets the thread next; nil if none waits.
    mutating func leave(_ kind: Kind, _ share: String) -> Waiter? {
        if kind == .body { subtractBody(of: share) }
        guard let next = order.next(), let chosen = waiting.removeValue(forKey: next) else {
            free += 1
            return nil
        }
        return chosen.waiter
    }

    /// Removes the latest waiting body of the share with the most bodies, if that has at least two more than `share`.
    private mutating func dropOne(inFavourOf share: String) -> Waiter? {
        let candidates = waiting.filter { $0.value.kind == .body }
        let most = candidates.max { (bodies[$0.value.share] ?? 0, $0.key) < (bodies[$1.value.share] ?? 0, $1.key) }
        guard let most, bodies[most.value.share] ?? 0 > (bodies[share] ?? 0) + 1 else { return nil }
        waiting[most.key] = nil
        order.remove(most.key, [most.value.share])
        subtractBody(of: most.value.share)
        return most.value.waiter
    }

    private mutating func subtractBody(of share: String) {
        let left = (bodies[share] ?? 0) - 1
        bodies[share] = left > 0 ? left : nil
    }
}
