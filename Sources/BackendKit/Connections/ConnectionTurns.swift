internal import DequeModule

/// Tickets that wait, in turns: each party is served one ticket and goes to the end, so that a thousand tickets of one hold up
/// nobody else for more than one. Within a party the next level has its turns; at the last, who came first is first.
struct ConnectionTurns: Sendable {
    private var tickets: Deque<ConnectionQueue.Ticket> = []
    private var order: Deque<String> = []
    private var parties: [String: ConnectionTurns] = [:]
    /// How many tickets wait.
    private(set) var count = 0

    /// Puts a ticket at the end of its party's line.
    mutating func add(_ ticket: ConnectionQueue.Ticket, _ path: ArraySlice<String>) {
        count += 1
        guard let party = path.first else { return tickets.append(ticket) }
        if parties[party] == nil { order.append(party) }
        parties[party, default: ConnectionTurns()].add(ticket, path.dropFirst())
    }

    /// Takes out the ticket whose turn it is.
    mutating func next() -> ConnectionQueue.Ticket? {
        guard count > 0 else { return nil }
        count -= 1
        guard let party = order.popFirst() else { return tickets.popFirst() }
        let ticket = parties[party]?.next()
        if parties[party]?.count == 0 { parties[party] = nil } else { order.append(party) }
        return ticket
    }

    /// Takes out a ticket whose holder waits no longer.
    mutating func remove(_ ticket: ConnectionQueue.Ticket, _ path: ArraySlice<String>) {
        guard let party = path.first else {
            guard let index = tickets.firstIndex(of: ticket) else { return }
            tickets.remove(at: index)
            count -= 1
            return
        }
        guard let before = parties[party]?.count else { return }
        parties[party]?.remove(ticket, path.dropFirst())
        let left = parties[party]?.count ?? 0
        count -= before - left
        guard left == 0 else { return }
        parties[party] = nil
        order.removeAll { $0 == party }
    }
}
