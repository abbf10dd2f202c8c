/// What the operator may set of clients' connections.
package struct ServerLimits: Sendable {
    /// How long a connection may stay open without a request.
    package var idleTimeout: Duration
    /// How long the head of a request may take, from its first byte on.
    package var headTimeout: Duration
    /// How long a client may take nothing of an answer.
    package var stallTimeout: Duration
    /// The most bytes of a request's head.
    package var headerSize: Int
    /// The most connections.
    package var connections: Int
    /// The most connections of one client's address.
    package var connectionsPerAddress: Int

    /// Limits with every property given.
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
