import DequeModule

/// Decides which connections are admitted and which idle one has to make room. A pure value.
///
/// A connection without a pending request is idle, also before its first request. At a limit the connection that has been idle
/// longest is replaced.
struct ConnectionLedger<ID: Hashable & Sendable>: Sendable {
    /// The maximum number of connections, in total and per client address.
    struct Limits: Sendable, Equatable {
        var total: Int
        var perAddress: Int
    }

    /// The limit that was reached.
    enum Limit: String, Sendable, CaseIterable {
        case total
        case perAddress = "address"
    }

    /// What happens to a new connection.
    enum Decision: Sendable, Equatable {
        case admitted
        /// The connection replaces an idle one, which the caller must close.
        case replaces(ID, at: Limit)
        case refused(at: Limit)
    }

    private struct Entry {
        let address: String?
        /// The event number at which the connection became idle; nil while it is busy.
        var idleSince: UInt64?
    }

    /// The connections in the order in which they became idle. Marks of connections that have been busy since are stale, and
    /// are skipped.
    private struct IdleQueue {
        var marks: Deque<(id: ID, since: UInt64)> = []
    }

    private var entries: [ID: Entry] = [:]
    private var counts: [String: Int] = [:]
    private var idle = IdleQueue()
    private var idleByAddress: [String: IdleQueue] = [:]
    /// Numbers the events, which makes their order total.
    private var now: UInt64 = 0

    var count: Int { entries.count }

    /// Decides about a new connection and records it unless it is refused.
    /// - Parameter address: the client's address; nil if the connection counts towards no address.
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

    /// Removes a connection. Does nothing if it is not recorded.
    mutating func close(_ id: ID) {
        guard let address = entries.removeValue(forKey: id)?.address, let count = counts[address] else { return }
        counts[address] = count > 1 ? count - 1 : nil
        if count == 1 { idleByAddress[address] = nil }
    }

    /// Marks a connection as busy: a request arrived on it.
    mutating func becameBusy(_ id: ID) { entries[id]?.idleSince = nil }

    /// Marks a connection as idle: its last pending request was answered.
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

    /// The connection that has been idle longest, of all or of one address.
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

    /// A connection with many requests leaves many marks, of which only the latest counts.
    private func compact(_ queue: inout IdleQueue) {
        guard queue.marks.count > 2 * entries.count + 64 else { return }
        queue.marks.removeAll { entries[$0.id]?.idleSince != $0.since }
    }
}
