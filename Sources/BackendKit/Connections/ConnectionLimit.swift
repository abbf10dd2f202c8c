import Synchronization

/// How many connections a backend has at a time, counted over all loops of the process: the shell around a `ConnectionQueue`.
package final class ConnectionLimit: Sendable {
    private struct Listener {
        let admitted: @Sendable () -> Void
        let yield: (@Sendable () -> Void)?
    }

    private struct State {
        var queue: ConnectionQueue
        var listeners: [ConnectionQueue.Ticket: Listener] = [:]
    }

    /// The most connections at a time.
    package let limit: Int
    /// How long a download waits for one before it tries another location.
    package let timeout: Duration
    private let state: Mutex<State>

    /// - Parameter limit: at least 1.
    package init(limit: Int, timeout: Duration) {
        self.limit = max(1, limit)
        self.timeout = timeout
        state = Mutex(State(queue: ConnectionQueue(limit: limit)))
    }

    /// How many connections are taken, and how many wait for one.
    package var counts: (held: Int, waiting: Int) { state.withLock { ($0.queue.heldCount, $0.queue.waitingCount) } }

    /// Asks for a connection.
    /// - Parameters:
    ///   - yield: called on any thread when the connection is to be given back, or `insist` called, since a download waits.
    ///   - admitted: called once, on any thread, when the connection is there, unless it was there at once.
    /// - Returns: what stands for the connection, or for the wait.
    package func enter(
        _ queueKey: QueueKey, yield: (@Sendable () -> Void)? = nil, admitted: @escaping @Sendable () -> Void
    ) -> (place: ConnectionPermit, isAdmitted: Bool) {
        let (ticket, isAdmitted, calls) = state.withLock { state in
            let (ticket, steps) = state.queue.enter(queueKey)
            state.listeners[ticket] = Listener(admitted: admitted, yield: yield)
            return (ticket, steps.contains(.admit(ticket)), Self.calls(for: steps.filter { $0 != .admit(ticket) }, state))
        }
        for call in calls { call() }
        return (ConnectionPermit(ticket: ticket, limit: self), isAdmitted)
    }

    func leave(_ ticket: ConnectionQueue.Ticket) {
        change { state in
            state.listeners[ticket] = nil
            return state.queue.leave(ticket)
        }
    }

    func offer(_ ticket: ConnectionQueue.Ticket, _ offer: ConnectionOffer) { change { $0.queue.offer(ticket, offer) } }

    func insist(_ ticket: ConnectionQueue.Ticket) { change { $0.queue.insist(ticket) } }

    private func change(_ body: (inout sending State) -> [ConnectionQueue.Step]) {
        let calls = state.withLock { state in
            let steps = body(&state)
            return Self.calls(for: steps, state)
        }
        for call in calls { call() }
    }

    /// What to call once the lock is open again.
    private static func calls(for steps: [ConnectionQueue.Step], _ state: State) -> [@Sendable () -> Void] {
        steps.compactMap { step in
            switch step {
            case .admit(let ticket): state.listeners[ticket]?.admitted
            case .yield(let ticket): state.listeners[ticket]?.yield
            }
        }
    }
}

/// One of a backend's connections, or the wait for it. Whoever drops it has left.
package final class ConnectionPermit: Sendable {
    private let ticket: ConnectionQueue.Ticket
    private let limit: ConnectionLimit

    init(ticket: ConnectionQueue.Ticket, limit: ConnectionLimit) {
        self.ticket = ticket
        self.limit = limit
    }

    /// Gives the connection back, or stops waiting; once or more often.
    package func leave() { limit.leave(ticket) }

    /// Says on what terms the connection may be asked back.
    package func offer(_ offer: ConnectionOffer) { limit.offer(ticket, offer) }

    /// Says that the connection can't be given back although it was asked for.
    package func insist() { limit.insist(ticket) }

    deinit { leave() }
}
