import Access
import BackendKit
import BatonConfig
import ImageModel

/// The server or store of a backend's objects and their common path, so that two backends can be compared.
struct BackendScope: Equatable, CustomStringConvertible {
    let origin: String
    let segments: [String]

    init(origin: String, segments: [String]) {
        self.origin = origin
        self.segments = segments
    }

    /// The scope of a URL. All names of the loopback interface count as one.
    init(_ url: LocationURL) {
        let isLoopback = ["localhost", "127.0.0.1", "[::1]"].contains(url.host)
        self.init(origin: "\(url.scheme)://\(isLoopback ? "localhost" : url.host):\(url.port)", segments: url.segments)
    }

    var description: String { "\(origin)/\(segments.joined(separator: "/"))" }

    /// Whether the other scope equals this one or lies in it.
    func contains(_ other: BackendScope) -> Bool { origin == other.origin && other.segments.starts(with: segments) }
}

extension ConfiguredBackend {
    /// Records conflicts between backends as problems, and overlaps as warnings.
    static func compare(
        _ all: [(backend: ConfiguredBackend, section: BackendSection)], _ configuration: BatonConfiguration
    ) {
        for (index, later) in all.enumerated() {
            for earlier in all[..<index] { compare(later.backend, later.section.settings, with: earlier.backend) }
            warnOfAttach(later.backend, later.section.settings, configuration)
        }
    }

    private static func compare(_ backend: ConfiguredBackend, _ settings: Section, with other: ConfiguredBackend) {
        let pairs = backend.scopes.flatMap { scope in other.scopes.map { (scope, $0) } }
        if pairs.contains(where: { $0 == $1 }) {
            settings.reject(
                backend.scopeKey,
                "names the same objects as the backend \(other.id), so a location would belong to both; remove one of them")
        } else if let (scope, otherScope) = pairs.first(where: { $0.contains($1) || $1.contains($0) }) {
            let (inner, outer) = scope.contains(otherScope) ? (other.id, backend.id) : (backend.id, other.id)
            settings.warn(
                backend.scopeKey,
                "overlaps with the backend \(other.id): a location that lies in both belongs to \(inner), not \(outer)")
        }
    }

    private static func warnOfAttach(
        _ backend: ConfiguredBackend, _ settings: Section, _ configuration: BatonConfiguration
    ) {
        guard configuration.uploads.backend == backend.id, let rule = backend.attach, rule.role != .admin, rule.prefix.isEmpty
        else { return }
        settings.warn(
            "attach",
            "lets every \(rule.role.rawValue) attach other users' uploads, which this backend stores: set attach.prefix"
        )
    }
}
