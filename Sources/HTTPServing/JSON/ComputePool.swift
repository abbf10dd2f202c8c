import BackendKit
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

/// Who of those that wait for a thread gets one, and who is refused. A value: it knows no threads and no time.
struct ComputeTurns<Waiter> {
    /// What is waited for.
    enum Kind {
        /// Reading a body, of which a limited number is kept.
        case body
        /// Writing an answer.
        case answer
    }

    private struct Waiting {
        let waiter: Waiter
        let kind: Kind
        let caller: String
    }

    private let limit: Int
    private var free: Int
    private var last = 0
    private var order = FairQueue<Int>()
    private var waiting: [Int: Waiting] = [:]
    /// How many bodies each caller has here, read or waiting.
    private var bodies: [String: Int] = [:]

    /// - Parameters:
    ///   - threads: how much runs at a time.
    ///   - limit: how many bodies are read and wait.
    init(threads: Int, limit: Int) {
        free = threads
        self.limit = limit
    }

    /// Somebody comes.
    /// - Returns: who has a turn now, and who is refused.
    mutating func enter(_ waiter: Waiter, _ kind: Kind, for caller: String) -> [(waiter: Waiter, hasTurn: Bool)] {
        var outcome: [(waiter: Waiter, hasTurn: Bool)] = []
        if kind == .body {
            if bodies.values.reduce(0, +) >= limit {
                guard let refused = dropOne(inFavourOf: caller) else { return [(waiter, false)] }
                outcome.append((refused, false))
            }
            bodies[caller, default: 0] += 1
        }
        if free > 0 {
            free -= 1
            outcome.append((waiter, true))
        } else {
            last += 1
            waiting[last] = Waiting(waiter: waiter, kind: kind, caller: caller)
            order.add(last, [caller])
        }
        return outcome
    }

    /// Somebody who had a turn is done.
    /// - Returns: who has the next one.
    mutating func leave(_ kind: Kind, _ caller: String) -> Waiter? {
        if kind == .body { subtractBody(of: caller) }
        guard let next = order.next(), let chosen = waiting.removeValue(forKey: next) else {
            free += 1
            return nil
        }
        return chosen.waiter
    }

    /// Takes out the latest waiting body of the caller who has the most, if they have at least two more than another one.
    private mutating func dropOne(inFavourOf caller: String) -> Waiter? {
        let candidates = waiting.filter { $0.value.kind == .body }
        let most = candidates.max { (bodies[$0.value.caller] ?? 0, $0.key) < (bodies[$1.value.caller] ?? 0, $1.key) }
        guard let most, bodies[most.value.caller] ?? 0 > (bodies[caller] ?? 0) + 1 else { return nil }
        waiting[most.key] = nil
        order.remove(most.key, [most.value.caller])
        subtractBody(of: most.value.caller)
        return most.value.waiter
    }

    private mutating func subtractBody(of caller: String) {
        let left = (bodies[caller] ?? 0) - 1
        bodies[caller] = left > 0 ? left : nil
    }
}
