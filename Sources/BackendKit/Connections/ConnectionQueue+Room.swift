/// On what terms somebody gives a connection back before it is done with it.
package enum ConnectionOffer: Sendable, Hashable {
    /// Its client takes nothing: to any download that waits.
    case idle
    /// It has had the connection for a while: to a download that was interrupted, and to a caller who has none.
    case turn
}

// Who gives a connection back when a download waits. As many are asked as there are claims, each once.
extension ConnectionQueue {
    mutating func makeRoom() -> [Step] {
        var steps: [Step] = []
        while let ticket = nextToYield() {
            ask(ticket)
            steps.append(.yield(ticket))
        }
        return steps
    }

    /// For any download that waits: a read in the background, then a download whose client takes nothing. For a caller who has no
    /// connection: a download of the caller with the most. For that caller, and for a download that was interrupted: one that has
    /// had its turn.
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

    /// The latest download of the caller who has the most connections, if that is more than one.
    private var beyondShare: Ticket? {
        let downloads = asked.filter { $0.value.queueKey.yields }
        let most = downloads.map { active[$0.value.queueKey.caller] ?? 0 }.max() ?? 0
        guard most > 1 else { return nil }
        return downloads.filter { active[$0.value.queueKey.caller] == most }.map(\.key).max { $0.number < $1.number }
    }

    /// The download that has had its connection for the longest, of a caller who has more than one of those who wait, or who is one
    /// of them.
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
