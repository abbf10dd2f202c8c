package import Access
package import ImageModel
import Synchronization

/// A configured storage system: its id, its base URL, and the driver that talks to it.
package struct Backend: Sendable {
    /// The backend's key in the configuration.
    package let id: BackendID
    /// The URL that all its locations lie below; nil if locations have key URLs only.
    package let base: LocationURL?
    package let driver: any Driver
    /// The scheme of the URLs that name objects by key, for example `s3`; nil if objects have paths only.
    package let keyScheme: String?
    /// The limit on concurrent connections; nil for no limit.
    package let connections: ConnectionLimit?
    /// The rule that lets callers other than admins attach locations of this backend; nil if only admins may.
    package let attach: AttachRule?
    /// Whether trusted clients may be redirected to the backend.
    package let allowsRedirects: Bool

    package init(
        id: BackendID, base: LocationURL?, driver: any Driver, keyScheme: String? = nil, attach: AttachRule? = nil,
        connections: ConnectionLimit? = nil, allowsRedirects: Bool = false
    ) {
        self.id = id
        self.base = base
        self.driver = driver
        self.keyScheme = keyScheme
        self.attach = attach
        self.connections = connections
        self.allowsRedirects = allowsRedirects
    }

    /// The prefix of the URLs of its locations, with the trailing slash.
    package var urlPrefix: String { base.map { "\($0)/" } ?? "\(keyScheme ?? "")://\(id)/" }
}

/// A resolved URL: the backend, the path in it, and the URL in its canonical spelling.
package struct ResolvedURL: Sendable {
    package let backend: Backend
    /// The path in the backend, decoded.
    package let path: String
    /// The URL in its canonical spelling.
    package let url: String
}

/// All configured backends. The registry is the allow-list: an object outside every backend can't be fetched. A configuration
/// reload replaces the backends. A running read keeps the backend it began with.
package final class BackendRegistry: Sendable {
    private let backends: Mutex<[BackendID: Backend]>

    /// Creates a registry of the given backends, whose ids must differ.
    package init(_ backends: [Backend]) { self.backends = Mutex(Self.byID(backends)) }

    /// Replaces all backends. The ids must differ.
    package func replace(with backends: [Backend]) { self.backends.withLock { $0 = Self.byID(backends) } }

    private static func byID(_ backends: [Backend]) -> [BackendID: Backend] {
        Dictionary(backends.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    package subscript(id: BackendID) -> Backend? { backends.withLock { $0[id] } }

    /// All backends, ordered by id.
    package var all: [Backend] { backends.withLock { Array($0.values) }.sorted { $0.id < $1.id } }

    /// Resolves a URL below a backend's base or a key URL.
    /// - Returns: nil if the URL lies in no backend.
    /// - Throws: `InvalidLocationURL` if the text is not a location URL.
    package func resolve(_ text: String) throws(InvalidLocationURL) -> ResolvedURL? {
        let scheme = text.firstRange(of: "://").map { text[..<$0.lowerBound].lowercased() }
        if let scheme, all.contains(where: { $0.keyScheme == scheme }) {
            let url = try KeyURL(text)
            guard let backend = self[url.backend], backend.keyScheme == scheme else { return nil }
            return ResolvedURL(backend: backend, path: url.key, url: url.description)
        }
        let url = try LocationURL(text)
        return locate(url).map { ResolvedURL(backend: $0.backend, path: $0.path, url: url.description) }
    }

    /// The backend that contains a URL, and the path in it. If two backends nest, the inner one.
    package func locate(_ url: LocationURL) -> (backend: Backend, path: String)? {
        let holding = all.compactMap { backend in
            backend.base.flatMap { base in url.path(below: base).map { (backend, $0, depth: base.segments.count) } }
        }
        return holding.max { $0.depth < $1.depth }.map { ($0.0, $0.1) }
    }
}
