import DequeModule

/// Tickets that wait, in turns: each queueKey is served one ticket and goes to the end, so that a thousand tickets of one hold up
/// nobody else for more than one. Within a queueKey the next level has its turns; at the last, who came first is first.
package struct FairQueue<Ticket: Hashable & Sendable>: Sendable {
    private var tickets: Deque<Ticket> = []
    private var order: Deque<String> = []
    private var parties: [String: FairQueue] = [:]
    /// How many tickets wait.
    package private(set) var count = 0

    /// Nobody waits.
    package init() {}

    /// The parties of the first level that have tickets here.
    var waitingParties: some Sequence<String> { parties.keys }

    /// Puts a ticket at the end of its queueKey's line.
    package mutating func add(_ ticket: Ticket, _ path: ArraySlice<String>) {
        count += 1
        guard let queueKey = path.first else { return tickets.append(ticket) }
        if parties[queueKey] == nil { order.append(queueKey) }
        parties[queueKey, default: FairQueue()].add(ticket, path.dropFirst())
    }

    /// Takes out the ticket whose turn it is.
    /// - Parameter held: how much the parties of the first level have already. The one with the least is served first; among
    ///   equals the line decides.
    package mutating func next(sharing held: [String: Int] = [:]) -> Ticket? {
        guard count > 0 else { return nil }
        count -= 1
        guard let turn = turn(sharing: held) else { return tickets.popFirst() }
        let queueKey = order.remove(at: turn)
        let ticket = parties[queueKey]?.next()
        if parties[queueKey]?.count == 0 { parties[queueKey] = nil } else { order.append(queueKey) }
        return ticket
    }

    /// The ticket that `next` would take out.
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

    /// Takes out a ticket whose holder waits no longer.
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
