import FairQueueing

/// The holders of a backend's connections and the requests that wait for one, as a value without locks, clocks and callbacks.
///
/// The foreground takes precedence over the background. Within each, callers take turns, and within a caller its images do (see
/// `FairQueue`). A waiting download makes other holders give their connections back.
struct ConnectionQueue: Sendable {
    /// Identifies one request for a connection.
    struct Ticket: Sendable, Hashable {
        let number: UInt64
    }

    /// A notification for the owner of a ticket.
    enum Step: Sendable, Equatable {
        /// The connection is granted.
        case admit(Ticket)
        /// The connection should be given back as soon as possible, since a download waits.
        case yield(Ticket)
    }

    /// A granted request.
    struct Holder: Sendable {
        let queueKey: QueueKey
        /// The terms on which it gives the connection back.
        var offer: ConnectionOffer?
        var recall = Recall.none

        /// Whether it was asked to give the connection back.
        var isYielding: Bool { recall == .asked }
    }

    /// A holder is asked once to give its connection back.
    enum Recall: Sendable {
        /// Not asked. Goes to: asked.
        case none
        /// Asked. Goes to: declined.
        case asked
        /// Asked, and the holder keeps the connection. Final.
        case declined
    }

    /// The largest number of concurrent connections.
    let limit: Int
    private var holders: [Ticket: Holder] = [:]
    /// The number of connections per caller, without those that were asked back.
    private(set) var active: [String: Int] = [:]
    private(set) var yieldingCount = 0
    private var waiting: [Ticket: QueueKey] = [:]
    private(set) var foreground = FairQueue<Ticket>()
    private var background = FairQueue<Ticket>()
    /// The number of waiting requests for downloads that have begun, by caller.
    private(set) var resuming: [String: Int] = [:]
    private var nextNumber: UInt64 = 0

    /// - Parameter limit: at least 1.
    init(limit: Int) { self.limit = max(1, limit) }

    /// The number of connections in use.
    var heldCount: Int { holders.count }
    /// The number of waiting requests.
    var waitingCount: Int { waiting.count }

    /// Requests a connection.
    /// - Returns: the request's ticket, and the notifications to send. The new request itself may be admitted at once.
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

    /// Gives a connection back, or stops waiting for one. An unknown ticket is ignored.
    /// - Returns: the notifications to send.
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

    /// Sets the terms on which a holder gives its connection back.
    /// - Returns: the notifications to send.
    mutating func offer(_ ticket: Ticket, _ offer: ConnectionOffer) -> [Step] {
        guard holders[ticket] != nil else { return [] }
        holders[ticket]?.offer = offer
        return makeRoom()
    }

    /// Records that a holder declined to give its connection back.
    /// - Returns: the notifications to send.
    mutating func insist(_ ticket: Ticket) -> [Step] {
        guard let holder = holders[ticket], holder.isYielding else { return [] }
        holders[ticket]?.recall = .declined
        yieldingCount -= 1
        count(holder.queueKey, 1)
        return makeRoom()
    }

    /// Marks a holder as asked to give its connection back.
    private mutating func ask(_ ticket: Ticket) {
        guard let holder = holders[ticket], holder.recall == .none else { return }
        holders[ticket]?.recall = .asked
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

/// The terms on which a holder gives its connection back early.
package enum ConnectionOffer: Sendable, Hashable {
    /// The holder's client reads nothing: the connection may go to any waiting download.
    case idle
    /// The holder has had its turn: the connection may go to an interrupted download, or to a caller without a connection.
    case turn
}

// Reclaims connections when downloads wait: one per waiting download, and each holder is asked once.
extension ConnectionQueue {
    private mutating func makeRoom() -> [Step] {
        var steps: [Step] = []
        while let ticket = nextToYield() {
            ask(ticket)
            steps.append(.yield(ticket))
        }
        return steps
    }

    /// The next holder to ask for its connection. For any waiting download: a background read, then a download whose client
    /// reads nothing. For a caller without a connection: a download of the caller with the most connections. For that caller
    /// and for an interrupted download: a download that has had its turn.
    private func nextToYield() -> Ticket? {
        guard foreground.count > yieldingCount else { return nil }
        if let ticket = latestInBackground ?? idle { return ticket }
        let deprived = foreground.waitingParties.count { active[$0] == nil }
        if deprived > yieldingCount, let ticket = beyondShare { return ticket }
        let claims = resuming.reduce(deprived) { $0 + (active[$1.key] == nil ? 0 : $1.value) }
        return claims > yieldingCount ? hadItsTurn : nil
    }

    /// The holders that were not asked for their connection yet.
    private var recallable: some Sequence<(key: Ticket, value: Holder)> {
        holders.lazy.filter { $0.value.recall == .none }
    }

    private var latestInBackground: Ticket? {
        recallable.filter { $0.value.queueKey.rank == .background }.map(\.key).max { $0.number < $1.number }
    }

    private var idle: Ticket? {
        recallable.filter { $0.value.offer == .idle }.map(\.key).min { $0.number < $1.number }
    }

    /// The latest download of the caller with the most connections, if that caller has more than one.
    private var beyondShare: Ticket? {
        let downloads = recallable.filter { $0.value.queueKey.canYield }
        let most = downloads.map { active[$0.value.queueKey.caller] ?? 0 }.max() ?? 0
        guard most > 1 else { return nil }
        return downloads.filter { active[$0.value.queueKey.caller] == most }.map(\.key).max { $0.number < $1.number }
    }

    /// The download that has held its connection for the longest and has had its turn. Its caller has more than one connection,
    /// or is among the waiting callers.
    private var hadItsTurn: Ticket? {
        recallable.filter { $0.value.offer == .turn && yieldsTurn($0.value.queueKey.caller) }.map(\.key)
            .min { $0.number < $1.number }
    }

    private func yieldsTurn(_ caller: String) -> Bool {
        let has = active[caller] ?? 0
        if resuming[caller] != nil { return true }
        return resuming.keys.contains { (active[$0] ?? 0) < has }
            || foreground.waitingParties.contains { active[$0] == nil && $0 != caller }
    }
}
