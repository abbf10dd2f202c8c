/// The configurable limits of client connections.
package struct ServerLimits: Sendable {
    /// How long a connection may stay open without a request.
    package var idleTimeout: Duration
    /// How long the head of a request may take, from its first byte.
    package var headTimeout: Duration
    /// How long a client may read nothing of a response.
    package var stallTimeout: Duration
    /// The largest head of a request, in bytes.
    package var headerSize: Int
    /// The maximum number of connections.
    package var connections: Int
    /// The maximum number of connections per client address.
    package var connectionsPerAddress: Int

    package init(
        idleTimeout: Duration, headTimeout: Duration, stallTimeout: Duration, headerSize: Int, connections: Int,
        connectionsPerAddress: Int
    ) {
        self.idleTimeout = idleTimeout
        self.headTimeout = headTimeout
        self.stallTimeout = stallTimeout
        self.headerSize = headerSize
        self.connections = connections
        self.connectionsPerAddress = connectionsPerAddress
    }
}
