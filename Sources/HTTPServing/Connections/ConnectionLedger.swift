import DequeModule

/// The open connections, and which of them must make room for another one. A pure value.
///
/// A connection without a request is idle, even before its first one. At a limit the connection that has been idle longest is closed.
struct ConnectionLedger<ID: Hashable & Sendable>: Sendable {
    /// The most connections.
    struct Limits: Sendable, Equatable {
        var total: Int
        var perAddress: Int
    }

    /// The limit that was reached; its raw values are labels of metrics.
    enum Limit: String, Sendable, CaseIterable {
        /// `server.max_connections`.
        case total
        /// `server.max_connections_per_address`.
        case perAddress = "address"
    }

    /// What happens to a new connection.
    enum Decision: Sendable, Equatable {
        /// The connection is accepted.
        case admitted
        /// The connection is accepted in place of an idle one, which must be closed.
        case replaces(ID, at: Limit)
        /// The connection is closed.
        case refused(at: Limit)
    }

    private struct Entry {
        let address: String?
        /// The event at which it became idle; nil while it is not idle.
        var idleSince: UInt64?
    }

    /// Connections in the order in which they became idle. Entries of connections that have been busy since are skipped.
    private struct IdleQueue {
        var marks: Deque<(id: ID, since: UInt64)> = []
    }

    private var entries: [ID: Entry] = [:]
    private var counts: [String: Int] = [:]
    private var idle = IdleQueue()
    private var idleByAddress: [String: IdleQueue] = [:]
    /// Numbers the events, which makes their order total.
    private var now: UInt64 = 0

    /// The number of connections.
    var count: Int { entries.count }

    /// Adds a connection.
    /// - Parameter address: the client's address; nil if it does not count for one.
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

    /// Removes a connection. Unknown ones are ignored.
    mutating func close(_ id: ID) {
        guard let address = entries.removeValue(forKey: id)?.address, let count = counts[address] else { return }
        counts[address] = count > 1 ? count - 1 : nil
        if count == 1 { idleByAddress[address] = nil }
    }

    /// Notes that a request has come.
    mutating func becameBusy(_ id: ID) { entries[id]?.idleSince = nil }

    /// Notes that all requests are answered.
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

    /// The connection that has been idle longest, of one address if one is given.
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

    /// Removes outdated marks, which a connection with many requests leaves.
    private func compact(_ queue: inout IdleQueue) {
        guard queue.marks.count > 2 * entries.count + 64 else { return }
        queue.marks.removeAll { entries[$0.id]?.idleSince != $0.since }
    }
}
