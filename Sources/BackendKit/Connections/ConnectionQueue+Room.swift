/// The terms on which a holder gives its connection back early.
package enum ConnectionOffer: Sendable, Hashable {
    /// The holder's client reads nothing: the connection may go to any waiting download.
    case idle
    /// The holder has had its turn: the connection may go to an interrupted download, or to a caller without a connection.
    case turn
}

// Reclaims connections when downloads wait: one per waiting download, and each holder is asked once.
extension ConnectionQueue {
    mutating func makeRoom() -> [Step] {
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

    private var asked: some Sequence<(key: Ticket, value: Holder)> {
        holders.lazy.filter { !$0.value.isYielding && !$0.value.insists }
    }

    private var latestInBackground: Ticket? {
        asked.filter { $0.value.queueKey.rank == .background }.map(\.key).max { $0.number < $1.number }
    }

    private var idle: Ticket? {
        asked.filter { $0.value.offer == .idle }.map(\.key).min { $0.number < $1.number }
    }

    /// The latest download of the caller with the most connections, if that caller has more than one.
    private var beyondShare: Ticket? {
        let downloads = asked.filter { $0.value.queueKey.yields }
        let most = downloads.map { active[$0.value.queueKey.caller] ?? 0 }.max() ?? 0
        guard most > 1 else { return nil }
        return downloads.filter { active[$0.value.queueKey.caller] == most }.map(\.key).max { $0.number < $1.number }
    }

    /// The download that has held its connection for the longest and has had its turn. Its caller has more than one connection,
    /// or is among the waiting callers.
    private var hadItsTurn: Ticket? {
        asked.filter { $0.value.offer == .turn && yieldsTurn($0.value.queueKey.caller) }.map(\.key)
            .min { $0.number < $1.number }
    }

    private func yieldsTurn(_ caller: String) -> Bool {
        let has = active[caller] ?? 0
        if resuming[caller] != nil { return true }
        return resuming.keys.contains { (active[$0] ?? 0) < has }
            || foreground.waitingParties.contains { active[$0] == nil && $0 != caller }
    }
}
