package import BackendKit

/// The request of an attempt, and its timeouts.
package struct AttemptRequest: Sendable {
    /// Makes the request and interprets the response.
    package let driver: any Driver
    /// The limit of the backend's connections; nil for no limit.
    package let connections: ConnectionLimit?
    /// The party that requests the connection.
    package let queueKey: QueueKey
    /// The object and the byte range.
    package let read: ReadRequest
    /// How long the attempt waits.
    package let timeouts: AttemptTimeouts

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

/// How long an attempt waits at each step. Time during which the reader has paused it does not count.
package struct AttemptTimeouts: Sendable {
    /// For a permit; nil for no limit.
    package var permit: Duration?
    /// For a connection or a worker once the request is made.
    package var worker: Duration
    /// For credentials, for the head, and between two bytes.
    package var inactivity: Duration
    /// For the whole body of a refusal.
    package var refusal: Duration
    /// From the permit to the head of the response, including credentials and their renewal; nil for no limit beside the
    /// others.
    package var head: Duration?

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
