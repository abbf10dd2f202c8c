import BackendKit

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
