import DequeModule

/// Which connections there are, and which of them must make room for another. A pure value.
///
/// Connections without a request are idle, also those that have not sent one yet. At a limit the one that has been idle for longest goes.
struct ConnectionLedger<ID: Hashable & Sendable>: Sendable {
    /// How many there may be.
    struct Limits: Sendable, Equatable {
        var total: Int
        var perAddress: Int
    }

    /// Which limit was reached.
    enum Limit: String, Sendable, CaseIterable {
        case total
        case perAddress = "address"
    }

    /// What becomes of a new connection.
    enum Decision: Sendable, Equatable {
        case admitted
        /// It takes the place of an idle one, which must be closed.
        case replaces(ID, at: Limit)
        case refused(at: Limit)
    }

    private struct Entry {
        let address: String?
        /// Since when it is idle; nil while it is not.
        var idleSince: UInt64?
    }

    /// Who became idle when, in that order; those that are no longer so since then are passed over.
    private struct IdleQueue {
        var marks: Deque<(id: ID, since: UInt64)> = []
    }

    private var entries: [ID: Entry] = [:]
    private var counts: [String: Int] = [:]
    private var idle = IdleQueue()
    private var idleByAddress: [String: IdleQueue] = [:]
    /// Counts events, so that the order is total.
    private var now: UInt64 = 0

    /// How many there are.
    var count: Int { entries.count }

    /// A connection comes.
    /// - Parameter address: whose it is; nil if it counts for nobody.
    mutating func open(_ id: ID, from address: String?, limits: Limits) -> Decision {
        var decision = Decision.admitted
        if let address, counts[address, default: 0] >= limits.perAddress {
            guard let oldest = oldest(of: address) else { return .refused(at: .perAddress) }
            decision = .replaces(oldest, at: .perAddress)
            close(oldest)
        } else if entries.count >= limits.total {
            guard let oldest = oldest(of: nil) else { return .refused(at: .total) }
            decision = .replaces(oldest, at: .total)
            close(oldest)
        }
        entries[id] = Entry(address: address)
        if let address { counts[address, default: 0] += 1 }
        becameIdle(id)
        return decision
    }

    /// A connection has gone; nothing happens if it is not here.
    mutating func close(_ id: ID) {
        guard let address = entries.removeValue(forKey: id)?.address, let count = counts[address] else { return }
        counts[address] = count > 1 ? count - 1 : nil
        if count == 1 { idleByAddress[address] = nil }
    }

    /// A request came on it.
    mutating func becameBusy(_ id: ID) { entries[id]?.idleSince = nil }

    /// Its last request is answered.
    mutating func becameIdle(_ id: ID) {
        guard var entry = entries[id] else { return }
        now += 1
        entry.idleSince = now
        entries[id] = entry
        idle.marks.append((id, now))
        compact(&idle)
        guard let address = entry.address else { return }
        var queue = idleByAddress.removeValue(forKey: address) ?? IdleQueue()
        queue.marks.append((id, now))
        compact(&queue)
        idleByAddress[address] = queue
    }

    /// The one that has been idle for longest; of one address if one is given.
    private mutating func oldest(of address: String?) -> ID? {
        guard let address else { return first(of: &idle) }
        var queue = idleByAddress.removeValue(forKey: address) ?? IdleQueue()
        defer { idleByAddress[address] = queue }
        return first(of: &queue)
    }

    private func first(of queue: inout IdleQueue) -> ID? {
        while let mark = queue.marks.first {
            if entries[mark.id]?.idleSince == mark.since { return mark.id }
            queue.marks.removeFirst()
        }
        return nil
    }

    /// A connection with many requests leaves many marks, of which one counts.
    private func compact(_ queue: inout IdleQueue) {
        guard queue.marks.count > 2 * entries.count + 64 else { return }
        queue.marks.removeAll { entries[$0.id]?.idleSince != $0.since }
    }
}
