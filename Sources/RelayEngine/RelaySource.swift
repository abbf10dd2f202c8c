package import BackendKit
package import ImageModel

/// One location as a relay reads it.
package struct RelaySource: Sendable {
    /// Its id.
    package let location: LocationID
    /// Its backend.
    package let backend: BackendID
    /// Where in the backend.
    package let path: String
    /// Who knows how to ask.
    package let driver: any Driver
    /// Its backend's limit of connections, if there is one.
    package let connections: ConnectionLimit?
    /// Whether to go past caches on a new connection.
    package let isFresh: Bool

    /// A source with every property given.
    package init(
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
