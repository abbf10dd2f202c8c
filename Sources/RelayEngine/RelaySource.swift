public import BackendKit
public import ImageModel

/// One location as a relay reads it.
public struct RelaySource: Sendable {
    /// Its id.
    public let location: LocationID
    /// Its backend.
    public let backend: BackendID
    /// Where in the backend.
    public let path: String
    /// Who knows how to ask.
    public let driver: any Driver
    /// Its backend's limit of connections, if there is one.
    public let connections: ConnectionLimit?
    /// Whether to go past caches on a new connection.
    public let isFresh: Bool

    /// A source with every property given.
    public init(
        location: LocationID, backend: BackendID, path: String, driver: any Driver, connections: ConnectionLimit? = nil,
        isFresh: Bool = false
    ) {
        self.location = location
        self.backend = backend
        self.path = path
        self.driver = driver
        self.connections = connections
        self.isFresh = isFresh
    }
}
