/// Who may have one of a backend's connections, and who waits for one, as a value: no lock, no clock, nobody is called.
///
/// The foreground goes before the background; within each, callers have their turns, and within a caller images
/// (`FairQueue`). A download that has to wait makes others give their connections back; `ConnectionQueue+Room.swift` says
/// whom.
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

    /// Somebody who has a connection.
    struct Holder: Sendable {
        let queueKey: QueueKey
        /// On what terms it gives the connection back.
        var offer: ConnectionOffer?
        /// Whether it was asked to give the connection back.
        var isYielding = false
        /// Whether it said that it can't.
        var insists = false
    }

    /// The most connections at a time.
    let limit: Int
    var holders: [Ticket: Holder] = [:]
    /// How many connections each caller has and was not asked to give back.
    private(set) var active: [String: Int] = [:]
    private(set) var yieldingCount = 0
    private var waiting: [Ticket: QueueKey] = [:]
    private(set) var foreground = FairQueue<Ticket>()
    private var background = FairQueue<Ticket>()
    /// How many wait for downloads that have begun, by caller.
    private(set) var resuming: [String: Int] = [:]
    private var nextNumber: UInt64 = 0

    /// - Parameter limit: at least 1.
    init(limit: Int) { self.limit = max(1, limit) }

    /// How many connections are taken.
    var heldCount: Int { holders.count }
    /// How many wait for one.
    var waitingCount: Int { waiting.count }

    /// Somebody wants a connection.
    /// - Returns: their ticket, and whom to tell what; they themselves may be admitted at once.
    mutating func enter(_ queueKey: QueueKey) -> (ticket: Ticket, steps: [Step]) {
        let ticket = Ticket(number: nextNumber)
        nextNumber += 1
        waiting[ticket] = queueKey
        switch queueKey.rank {
        case .foreground: foreground.add(ticket, queueKey.path[...])
        case .background: background.add(ticket, queueKey.path[...])
        }
        if queueKey.isResuming { resuming[queueKey.caller, default: 0] += 1 }
        return (ticket, admit() + makeRoom())
    }

    /// A connection is given back, or not waited for any more. A ticket that is not known is let be.
    /// - Returns: whom to tell what.
    mutating func leave(_ ticket: Ticket) -> [Step] {
        if let holder = holders.removeValue(forKey: ticket) {
            if holder.isYielding { yieldingCount -= 1 } else { count(holder.queueKey, -1) }
        } else if let queueKey = waiting.removeValue(forKey: ticket) {
            stopWaiting(queueKey)
            switch queueKey.rank {
            case .foreground: foreground.remove(ticket, queueKey.path[...])
            case .background: background.remove(ticket, queueKey.path[...])
            }
        }
        return admit() + makeRoom()
    }

    /// Somebody who has a connection would give it back on these terms.
    /// - Returns: whom to tell what.
    mutating func offer(_ ticket: Ticket, _ offer: ConnectionOffer) -> [Step] {
        guard holders[ticket] != nil else { return [] }
        holders[ticket]?.offer = offer
        return makeRoom()
    }

    /// Somebody who was asked to give a connection back can't.
    /// - Returns: whom to tell what.
    mutating func insist(_ ticket: Ticket) -> [Step] {
        guard let holder = holders[ticket], holder.isYielding else { return [] }
        holders[ticket]?.isYielding = false
        holders[ticket]?.insists = true
        yieldingCount -= 1
        count(holder.queueKey, 1)
        return makeRoom()
    }

    /// Notes that somebody is asked to give a connection back.
    mutating func ask(_ ticket: Ticket) {
        guard let holder = holders[ticket], !holder.isYielding else { return }
        holders[ticket]?.isYielding = true
        yieldingCount += 1
        count(holder.queueKey, -1)
    }

    private mutating func admit() -> [Step] {
        var steps: [Step] = []
        while holders.count < limit, let ticket = foreground.next(sharing: active) ?? background.next() {
            guard let queueKey = waiting.removeValue(forKey: ticket) else { continue }
            stopWaiting(queueKey)
            holders[ticket] = Holder(queueKey: queueKey)
            count(queueKey, 1)
            steps.append(.admit(ticket))
        }
        return steps
    }

    private mutating func stopWaiting(_ queueKey: QueueKey) {
        guard queueKey.isResuming else { return }
        let left = (resuming[queueKey.caller] ?? 0) - 1
        resuming[queueKey.caller] = left > 0 ? left : nil
    }

    private mutating func count(_ queueKey: QueueKey, _ change: Int) {
        guard queueKey.rank == .foreground else { return }
        let count = (active[queueKey.caller] ?? 0) + change
        active[queueKey.caller] = count > 0 ? count : nil
    }
}
