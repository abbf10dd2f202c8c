import Access
import BackendKit
import BatonConfig
import CurlTransfer
import FileBackend
import ImageModel

/// A backend as configured, before it is started. Only this type and its extensions name the drivers.
struct ConfiguredBackend: Sendable {
    let id: BackendID
    let driverName: String
    /// The root directory; nil if the backend has none.
    let root: String?
    private let base: LocationURL?
    /// The scopes of its objects, one for each kind of URL that names them.
    let scopes: [BackendScope]
    /// The key of its section that determines the scope.
    let scopeKey: String
    /// The scheme of key URLs; nil if its objects have paths only.
    private let keyScheme: String?
    private let makeDriver: @Sendable (TransferLoop) -> any Driver
    /// Who may attach locations besides admins; nil for admins only.
    var attach: AttachRule?
    /// Whether trusted clients may be redirected to the backend.
    var allowsRedirects = false
    /// The connection limit; nil for unlimited.
    var connections: Connections?
    /// The inputs it was read from.
    var source: BackendSource?

    init(
        id: BackendID, driverName: String, root: String? = nil, base: LocationURL?, keyScheme: String? = nil,
        scope: BackendScope? = nil, scopeKey: String, makeDriver: @escaping @Sendable (TransferLoop) -> any Driver
    ) {
        self.id = id
        self.driverName = driverName
        self.root = root
        self.base = base
        scopes = [base.map(BackendScope.init), scope].compactMap { $0 }
        self.scopeKey = scopeKey
        self.keyScheme = keyScheme
        self.makeDriver = makeDriver
    }

    /// The readers of backends' sections, by the name of the driver.
    static var drivers: [String: ConfigurationFile<ConfiguredBackend>.ReadBackend] {
        let own: [String: ConfigurationFile<ConfiguredBackend>.ReadBackend] = [
            "http": withConnections(http), "file": file, "s3": withConnections(s3), "swift": withConnections(swift),
        ]
        return own.mapValues { withRedirect(withAttach($0)) }
    }

    /// Creates the running backend.
    /// - Parameter loop: the loop for log-ins.
    func start(on loop: TransferLoop) -> Backend {
        Backend(
            id: id, base: base, driver: makeDriver(loop), keyScheme: keyScheme, attach: attach,
            connections: connections?.start(), allowsRedirects: allowsRedirects)
    }

    private static func file(_ section: BackendSection, _ configuration: BatonConfiguration) -> ConfiguredBackend? {
        guard let root = section.settings.requiredString("root", example: "/srv/images") else { return nil }
        guard root.hasPrefix("/") else {
            section.settings.reject("root", "\"\(root)\" is not an absolute path")
            return nil
        }
        do {
            return try directory(root, id: section.id, transfer: configuration.transfer)
        } catch {
            section.settings.reject("root", "\(error)")
            return nil
        }
    }

    /// Creates a backend of the files below a directory.
    /// - Parameter root: an absolute path.
    /// - Throws: an error that describes what is wrong with `root`.
    static func directory(
        _ root: String, id: BackendID, transfer: BatonConfiguration.Transfer
    ) throws -> ConfiguredBackend {
        let base = try LocationURL("file:///" + LocationURL.encode(path: String(root.drop { $0 == "/" })))
        guard !base.segments.isEmpty else { throw WholeFileSystem() }
        return ConfiguredBackend(id: id, driverName: "file", root: root, base: base, scopeKey: "root") { _ in
            FileDriver(
                root: root, workers: FileWorkers(name: id.name, limit: transfer.fileWorkers),
                maximumRange: Int64(transfer.fileRange.count))
        }
    }

    private struct WholeFileSystem: Error, CustomStringConvertible {
        let description =
            "is the whole file system, including its passwords and keys: name the directory of the images"
    }
}

// The section `attach`, which every driver has.
extension ConfiguredBackend {
    /// The roles that may attach locations, as spelled in the configuration.
    private enum AttachRole: String, CaseIterable {
        case member, trusted, service, admin

        var role: Caller.Role {
            switch self {
            case .member: .member
            case .trusted: .trusted
            case .service: .service
            case .admin: .admin
            }
        }
    }

    /// Extends a driver's reader by the section `attach`.
    static func withAttach(
        _ read: @escaping ConfigurationFile<ConfiguredBackend>.ReadBackend
    ) -> ConfigurationFile<ConfiguredBackend>.ReadBackend {
        { section, configuration in
            let rule = attachRule(section.settings.section("attach"))
            var backend = read(section, configuration)
            backend?.attach = rule
            return backend
        }
    }

    /// - Returns: nil if the section is missing, so that only admins attach locations.
    private static func attachRule(_ section: Section) -> AttachRule? {
        let prefix = section.string("prefix")
        guard section.string("role") != nil || prefix != nil else {
            section.finish()
            return nil
        }
        _ = section.requiredString("role", example: "member")
        let role = section.choice("role", default: AttachRole.admin)
        if prefix?.split(separator: "/").contains(where: { $0 == "." || $0 == ".." }) == true {
            section.reject("prefix", "has a dot segment; write the path without it")
        }
        section.finish()
        return AttachRule(role: role.role, prefix: prefix ?? "")
    }
}

// The connection limit, which all drivers with network connections have.
extension ConfiguredBackend {
    /// A backend's connection limit before the backend is started.
    struct Connections: Sendable {
        let limit: Int
        let timeout: Duration

        /// Creates the limit that all loops of the process share.
        func start() -> ConnectionLimit { ConnectionLimit(limit: limit, timeout: timeout) }
    }

    /// Extends a driver's reader by `max_connections` and `queue_timeout`.
    static func withConnections(
        _ read: @escaping ConfigurationFile<ConfiguredBackend>.ReadBackend
    ) -> ConfigurationFile<ConfiguredBackend>.ReadBackend {
        { section, configuration in
            let connections = connections(section.settings, configuration)
            var backend = read(section, configuration)
            backend?.connections = connections
            return backend
        }
    }

    /// - Returns: nil for unlimited.
    private static func connections(_ settings: Section, _ configuration: BatonConfiguration) -> Connections? {
        let limit = settings.integer("max_connections", in: 1...100_000)
        let timeout = settings.duration(
            "queue_timeout", default: configuration.relay.connectTimeout, in: .milliseconds(10) ... .seconds(3600))
        if limit == nil, settings.string("queue_timeout") != nil {
            settings.reject("queue_timeout", "needs max_connections: without a limit no download waits")
        }
        return limit.map { Connections(limit: $0, timeout: timeout) }
    }
}

extension ConfiguredBackend {
    /// Extends a driver's reader by `redirect`.
    static func withRedirect(
        _ read: @escaping ConfigurationFile<ConfiguredBackend>.ReadBackend
    ) -> ConfigurationFile<ConfiguredBackend>.ReadBackend {
        { section, configuration in
            let allowsRedirects = section.settings.boolean("redirect", default: false)
            var backend = read(section, configuration)
            if allowsRedirects, backend?.driverName == "file" {
                section.settings.reject(
                    "redirect", "is not for the driver file, because clients can't read this server's files")
            }
            backend?.allowsRedirects = allowsRedirects
            return backend
        }
    }
}
