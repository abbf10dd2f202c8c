package import BackendKit

/// What an attempt asks for, where, and how long it waits.
package struct AttemptRequest: Sendable {
    /// How to ask, and what the answer means.
    package let driver: any Driver
    /// The limit of the backend's connections; nil where any number is allowed.
    package let connections: ConnectionLimit?
    /// For whom a connection is wanted.
    package let queueKey: QueueKey
    /// The object and the bytes of it.
    package let read: ReadRequest
    /// How long it waits.
    package let timeouts: AttemptTimeouts

    /// A request with every property given.
    package init(
        driver: any Driver, connections: ConnectionLimit?, queueKey: QueueKey, read: ReadRequest, timeouts: AttemptTimeouts
    ) {
        self.driver = driver
        self.connections = connections
        self.queueKey = queueKey
        self.read = read
        self.timeouts = timeouts
    }
}

/// How long an attempt waits at each step. Time in which its reader has paused it never counts.
package struct AttemptTimeouts: Sendable {
    /// For a permit; nil for as long as it takes.
    package var permit: Duration?
    /// For a connection or a worker once the request is made.
    package var worker: Duration
    /// For credentials, for the head, and between two bytes.
    package var inactivity: Duration
    /// For the body of a refusal, in all.
    package var refusal: Duration
    /// From the permit to the head of the answer, credentials and their renewal included; nil for no limit beside the others.
    package var head: Duration?

    /// Timeouts with each value given.
    package init(
        permit: Duration?, worker: Duration, inactivity: Duration, refusal: Duration, head: Duration? = nil
    ) {
        self.permit = permit
        self.worker = worker
        self.inactivity = inactivity
        self.refusal = refusal
        self.head = head
    }
}
