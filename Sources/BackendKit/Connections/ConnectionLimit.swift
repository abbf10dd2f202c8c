import Synchronization

/// The limit on a backend's concurrent connections, counted over all transfer loops of the process. It wraps a
/// `ConnectionQueue` with a lock and callbacks.
package final class ConnectionLimit: Sendable {
    private struct Listener {
        let admitted: @Sendable () -> Void
        let yield: (@Sendable () -> Void)?
    }

    private struct State {
        var queue: ConnectionQueue
        var listeners: [ConnectionQueue.Ticket: Listener] = [:]
    }

    /// The largest number of concurrent connections.
    package let limit: Int
    /// How long a download waits for a connection before it tries another location.
    package let timeout: Duration
    private let state: Mutex<State>

    /// - Parameter limit: at least 1.
    package init(limit: Int, timeout: Duration) {
        self.limit = max(1, limit)
        self.timeout = timeout
        state = Mutex(State(queue: ConnectionQueue(limit: limit)))
    }

    /// The number of connections in use, and of requests that wait for one.
    package var counts: (held: Int, waiting: Int) { state.withLock { ($0.queue.heldCount, $0.queue.waitingCount) } }

    /// Requests a connection.
    /// - Parameters:
    ///   - yield: called on any thread when a download waits; the holder then gives the connection back or calls `insist`.
    ///   - admitted: called once, on any thread, when the connection is granted, unless it was granted at once.
    /// - Returns: the permit, which stands for the connection or for the wait.
    package func enter(
        _ queueKey: QueueKey, yield: (@Sendable () -> Void)? = nil, admitted: @escaping @Sendable () -> Void
    ) -> (permit: ConnectionPermit, isAdmitted: Bool) {
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

    /// The callbacks to invoke after the lock is released.
    private static func calls(for steps: [ConnectionQueue.Step], _ state: State) -> [@Sendable () -> Void] {
        steps.compactMap { step in
            switch step {
            case .admit(let ticket): state.listeners[ticket]?.admitted
            case .yield(let ticket): state.listeners[ticket]?.yield
            }
        }
    }
}

/// One of a backend's connections, or the wait for one. Deinitialization gives it back.
package final class ConnectionPermit: Sendable {
    private let ticket: ConnectionQueue.Ticket
    private let limit: ConnectionLimit

    init(ticket: ConnectionQueue.Ticket, limit: ConnectionLimit) {
        self.ticket = ticket
        self.limit = limit
    }

    /// Gives the connection back, or stops waiting. Repeated calls have no effect.
    package func leave() { limit.leave(ticket) }

    /// Declares on what terms the connection may be reclaimed.
    package func offer(_ offer: ConnectionOffer) { limit.offer(ticket, offer) }

    /// Declines a request to give the connection back.
    package func insist() { limit.insist(ticket) }

    deinit { leave() }
}

/// The party that requests a connection. It decides the order in which a backend's limited connections are granted.
package struct QueueKey: Sendable, Hashable {
    /// The precedence of a request.
    package enum Rank: Sendable, Hashable {
        /// Downloads, and probes of an object: a client waits for the result.
        case foreground
        /// Full reads of single locations. They begin when no foreground request waits, and give way when one does.
        case background
    }

    package let rank: Rank
    /// The parties that take turns: a caller, then an image of that caller.
    let path: [String]
    /// Whether the request is for a download that has begun: it was interrupted, and its client waits in the middle of the
    /// image.
    package private(set) var isResuming = false

    private init(rank: Rank, path: [String]) {
        self.rank = rank
        self.path = path
    }

    /// The first element of the path.
    var caller: String { path.first ?? "" }

    /// Whether a connection granted to this key can be reclaimed for other downloads.
    var canYield: Bool { rank == .foreground && self != .probe }

    /// The same key, in the middle of the download.
    package func resumed() -> QueueKey {
        var queueKey = self
        queueKey.isResuming = true
        return queueKey
    }

    /// The key of a download.
    /// - Parameter caller: the user and subscriber; downloads of one take turns with those of another.
    package static func download(by caller: String, of image: String) -> QueueKey {
        QueueKey(rank: .foreground, path: [caller, image])
    }

    /// The key of a probe, which Baton itself makes.
    package static let probe = QueueKey(rank: .foreground, path: ["", ""])

    /// The key of a full read of one of the image's locations.
    package static func maintenance(of image: String) -> QueueKey { QueueKey(rank: .background, path: [image]) }
}
