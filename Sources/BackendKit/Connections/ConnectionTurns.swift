internal import DequeModule

/// Tickets that wait, in turns: each party is served one ticket and goes to the end, so that a thousand tickets of one hold up
/// nobody else for more than one. Within a party the next level has its turns; at the last, who came first is first.
public struct ConnectionTurns<Ticket: Hashable & Sendable>: Sendable {
    private var tickets: Deque<Ticket> = []
    private var order: Deque<String> = []
    private var parties: [String: ConnectionTurns] = [:]
    /// How many tickets wait.
    public private(set) var count = 0

    /// Nobody waits.
    public init() {}

    /// The parties of the first level that have tickets here.
    var waitingParties: some Sequence<String> { parties.keys }

    /// Puts a ticket at the end of its party's line.
    public mutating func add(_ ticket: Ticket, _ path: ArraySlice<String>) {
        count += 1
        guard let party = path.first else { return tickets.append(ticket) }
        if parties[party] == nil { order.append(party) }
        parties[party, default: ConnectionTurns()].add(ticket, path.dropFirst())
    }

    /// Takes out the ticket whose turn it is.
    /// - Parameter held: how much the parties of the first level have already. The one with the least is served first; among
    ///   equals the line decides.
    public mutating func next(sharing held: [String: Int] = [:]) -> Ticket? {
        guard count > 0 else { return nil }
        count -= 1
        guard let turn = turn(sharing: held) else { return tickets.popFirst() }
        let party = order.remove(at: turn)
        let ticket = parties[party]?.next()
        if parties[party]?.count == 0 { parties[party] = nil } else { order.append(party) }
        return ticket
    }

    /// The ticket that `next` would take out.
    public func first(sharing held: [String: Int] = [:]) -> Ticket? {
        guard let turn = turn(sharing: held) else { return tickets.first }
        return parties[order[turn]]?.first()
    }

    private func turn(sharing held: [String: Int]) -> Int? {
        var turn: (index: Int, held: Int)?
        for (index, party) in order.enumerated() {
            let has = held[party] ?? 0
            if turn.map({ has < $0.held }) ?? true { turn = (index, has) }
            if has == 0 { break }
        }
        return turn?.index
    }

    /// Takes out a ticket whose holder waits no longer.
    public mutating func remove(_ ticket: Ticket, _ path: ArraySlice<String>) {
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
