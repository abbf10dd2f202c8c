import DequeModule

/// A queue of tickets in which parties take turns: each party is served one ticket and goes to the end of the line. A thousand
/// tickets of one party therefore delay any other party by one ticket at most. Within a party the next level takes turns; the
/// last level is first in, first out.
package struct FairQueue<Ticket: Hashable & Sendable>: Sendable {
    private var tickets: Deque<Ticket> = []
    private var order: Deque<String> = []
    private var parties: [String: FairQueue] = [:]
    /// The number of waiting tickets.
    package private(set) var count = 0

    /// Creates an empty queue.
    package init() {}

    /// The parties of the first level with waiting tickets.
    package var waitingParties: some Sequence<String> { parties.keys }

    /// Appends a ticket to the line of its party.
    package mutating func add(_ ticket: Ticket, _ path: ArraySlice<String>) {
        count += 1
        guard let queueKey = path.first else { return tickets.append(ticket) }
        if parties[queueKey] == nil { order.append(queueKey) }
        parties[queueKey, default: FairQueue()].add(ticket, path.dropFirst())
    }

    /// Removes the next ticket.
    /// - Parameter held: the number of connections that each party of the first level already has. The party with the fewest is
    ///   served first; among equals the line decides.
    package mutating func next(sharing held: [String: Int] = [:]) -> Ticket? {
        guard count > 0 else { return nil }
        count -= 1
        guard let turn = turn(sharing: held) else { return tickets.popFirst() }
        let queueKey = order.remove(at: turn)
        let ticket = parties[queueKey]?.next()
        if parties[queueKey]?.count == 0 { parties[queueKey] = nil } else { order.append(queueKey) }
        return ticket
    }

    /// The ticket that `next` would remove.
    package func first(sharing held: [String: Int] = [:]) -> Ticket? {
        guard let turn = turn(sharing: held) else { return tickets.first }
        return parties[order[turn]]?.first()
    }

    private func turn(sharing held: [String: Int]) -> Int? {
        var turn: (index: Int, held: Int)?
        for (index, queueKey) in order.enumerated() {
            let has = held[queueKey] ?? 0
            if turn.map({ has < $0.held }) ?? true { turn = (index, has) }
            if has == 0 { break }
        }
        return turn?.index
    }

    /// Removes a ticket whose owner no longer waits.
    package mutating func remove(_ ticket: Ticket, _ path: ArraySlice<String>) {
        guard let queueKey = path.first else {
            guard let index = tickets.firstIndex(of: ticket) else { return }
            tickets.remove(at: index)
            count -= 1
            return
        }
        guard let before = parties[queueKey]?.count else { return }
        parties[queueKey]?.remove(ticket, path.dropFirst())
        let left = parties[queueKey]?.count ?? 0
        count -= before - left
        guard left == 0 else { return }
        parties[queueKey] = nil
        order.removeAll { $0 == queueKey }
    }
}
