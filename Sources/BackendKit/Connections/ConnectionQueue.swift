/// Who may have one of a backend's connections, and who waits for one, as a value: no lock, no clock, nobody is called.
///
/// The foreground goes before the background; within each, callers have their turns, and within a caller images
/// (`ConnectionTurns`). A download that has to wait makes a background read give its connection back.
struct ConnectionQueue: Sendable {
    /// Names one wish for a connection.
    struct Ticket: Sendable, Hashable {
        let number: UInt64
    }

    /// What somebody is to be told.
    enum Step: Sendable, Equatable {
        /// The connection is theirs.
        case admit(Ticket)
        /// They are to give it back as soon as they can: a download waits.
        case yield(Ticket)
    }

    /// The most connections at a time.
    let limit: Int
    private var holders: [Ticket: ConnectionParty.Rank] = [:]
    private var yielding: Set<Ticket> = []
    private var waiting: [Ticket: ConnectionParty] = [:]
    private var foreground = ConnectionTurns()
    private var background = ConnectionTurns()
    private var nextNumber: UInt64 = 0

    /// - Parameter limit: at least 1.
    init(limit: Int) { self.limit = max(1, limit) }

    /// How many connections are taken.
    var heldCount: Int { holders.count }
    /// How many wait for one.
    var waitingCount: Int { waiting.count }

    /// Somebody wants a connection.
    /// - Returns: their ticket, and whom to tell what; they themselves may be admitted at once.
    mutating func enter(_ party: ConnectionParty) -> (ticket: Ticket, steps: [Step]) {
        let ticket = Ticket(number: nextNumber)
        nextNumber += 1
        waiting[ticket] = party
        switch party.rank {
        case .foreground: foreground.add(ticket, party.path[...])
        case .background: background.add(ticket, party.path[...])
        }
        return (ticket, admit() + makeRoom())
    }

    /// A connection is given back, or not waited for any more. A ticket that is not known is let be.
    /// - Returns: whom to tell what.
    mutating func leave(_ ticket: Ticket) -> [Step] {
        if holders.removeValue(forKey: ticket) != nil {
            yielding.remove(ticket)
        } else if let party = waiting.removeValue(forKey: ticket) {
            switch party.rank {
            case .foreground: foreground.remove(ticket, party.path[...])
            case .background: background.remove(ticket, party.path[...])
            }
        }
        return admit()
    }

    private mutating func admit() -> [Step] {
        var steps: [Step] = []
        while holders.count < limit, let ticket = foreground.next() ?? background.next() {
            holders[ticket] = waiting.removeValue(forKey: ticket)?.rank
            steps.append(.admit(ticket))
        }
        return steps
    }

    /// Asks as many background reads for their connections as downloads wait, those that began last first.
    private mutating func makeRoom() -> [Step] {
        var steps: [Step] = []
        while yielding.count < foreground.count {
            let reads = holders.filter { $0.value == .background && !yielding.contains($0.key) }.keys
            guard let ticket = reads.max(by: { $0.number < $1.number }) else { break }
            yielding.insert(ticket)
            steps.append(.yield(ticket))
        }
        return steps
    }
}
