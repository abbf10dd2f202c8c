package import Identity
package import ImageModel
import Synchronization

/// A configured storage system: its id, its place, and the driver that speaks to it.
package struct Backend: Sendable {
    /// Its key in the configuration.
    package let id: BackendID
    /// The URL that all its locations lie below; nil if they have URLs by key only.
    package let base: LocationURL?
    /// The code for its kind.
    package let driver: any Driver
    /// The scheme of the URLs that name its objects by key, `s3`; nil if its objects have paths only.
    package let keyScheme: String?
    /// How many connections it has at a time; nil for any number.
    package let connections: ConnectionLimit?
    /// Who but an admin may attach locations of it; nil for nobody.
    package let attach: AttachRule?
    /// Whether trusted clients may be sent straight to it.
    package let redirects: Bool

    /// A backend with every property given.
    package init(
        id: BackendID, base: LocationURL?, driver: any Driver, keyScheme: String? = nil, attach: AttachRule? = nil,
        connections: ConnectionLimit? = nil, redirects: Bool = false
    ) {
        self.id = id
        self.base = base
        self.driver = driver
        self.keyScheme = keyScheme
        self.attach = attach
        self.connections = connections
        self.redirects = redirects
    }

    /// What the URLs of its locations begin with, the slash included.
    package var urlPrefix: String { base.map { "\($0)/" } ?? "\(keyScheme ?? "")://\(id)/" }
}

/// What a URL names: a backend, where in it, and the URL in its one spelling.
package struct Place: Sendable {
    /// The backend.
    package let backend: Backend
    /// Where in the backend, decoded.
    package let path: String
    /// The URL, written as Baton writes it.
    package let url: String
}

/// All configured backends. It is the allow-list: what lies in none of them can't be fetched. A reload of the configuration replaces
/// them; whoever reads from a backend meanwhile keeps the one it began with.
package final class BackendRegistry: Sendable {
    private let backends: Mutex<[BackendID: Backend]>

    /// The registry of the given backends; ids must differ.
    package init(_ backends: [Backend]) { self.backends = Mutex(Self.byID(backends)) }

    /// These in place of those before; ids must differ.
    package func replace(with backends: [Backend]) { self.backends.withLock { $0 = Self.byID(backends) } }

    private static func byID(_ backends: [Backend]) -> [BackendID: Backend] {
        Dictionary(backends.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The backend of that id.
    package subscript(id: BackendID) -> Backend? { backends.withLock { $0[id] } }

    /// All backends, by name.
    package var all: [Backend] { backends.withLock { Array($0.values) }.sorted { $0.id < $1.id } }

    /// What a text names that is a URL below a backend's base, or one by key.
    /// - Returns: nil when it lies in no backend.
    /// - Throws: `InvalidLocationURL` when it is no URL of a location.
    package func place(of text: String) throws(InvalidLocationURL) -> Place? {
        let scheme = text.firstRange(of: "://").map { text[..<$0.lowerBound].lowercased() }
        if let scheme, all.contains(where: { $0.keyScheme == scheme }) {
            let url = try KeyURL(text)
            guard let backend = self[url.backend], backend.keyScheme == scheme else { return nil }
            return Place(backend: backend, path: url.key, url: url.description)
        }
        let url = try LocationURL(text)
        return locate(url).map { Place(backend: $0.backend, path: $0.path, url: url.description) }
    }

    /// The backend that a URL lies in, and where in it. Of two that nest, the inner one.
    package func locate(_ url: LocationURL) -> (backend: Backend, path: String)? {
        let holding = all.compactMap { backend in
            backend.base.flatMap { base in url.path(below: base).map { (backend, $0, depth: base.segments.count) } }
        }
        return holding.max { $0.depth < $1.depth }.map { ($0.0, $0.1) }
    }
}
