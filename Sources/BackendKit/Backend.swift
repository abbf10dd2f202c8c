public import Identity
public import ImageModel

/// A configured storage system: its id, its place, and the driver that speaks to it.
public struct Backend: Sendable {
    /// Its key in the configuration.
    public let id: BackendID
    /// The URL that all its locations lie below.
    public let base: LocationURL
    /// The code for its kind.
    public let driver: any Driver
    /// Who but an admin may attach locations of it; nil for nobody.
    public let attach: AttachRule?

    /// A backend with every property given.
    public init(id: BackendID, base: LocationURL, driver: any Driver, attach: AttachRule? = nil) {
        self.id = id
        self.base = base
        self.driver = driver
        self.attach = attach
    }
}

/// All configured backends. It is the allow-list: what lies in none of them can't be fetched.
public struct BackendRegistry: Sendable {
    private let byID: [BackendID: Backend]

    /// The registry of the given backends; ids must differ.
    public init(_ backends: [Backend]) {
        byID = Dictionary(backends.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The backend of that id.
    public subscript(id: BackendID) -> Backend? { byID[id] }

    /// All backends, by name.
    public var all: [Backend] { byID.values.sorted { $0.id < $1.id } }

    /// The backend that a URL lies in, and where in it. Of two that nest, the inner one.
    public func locate(_ url: LocationURL) -> (backend: Backend, path: String)? {
        all.compactMap { backend in url.path(below: backend.base).map { (backend, $0) } }
            .max { $0.0.base.segments.count < $1.0.base.segments.count }
    }
}
