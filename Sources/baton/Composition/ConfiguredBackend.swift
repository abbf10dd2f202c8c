import Access
import BackendKit
import BatonConfig
import CurlTransfer
import FileBackend
import ImageModel

/// A backend as configured, before it is started. The only place that names the drivers.
struct ConfiguredBackend: Sendable {
    let id: BackendID
    let driverName: String
    /// The root directory; nil if the backend has none.
    let root: String?
    private let base: LocationURL?
    /// The scopes of its objects, one for each way of naming them.
    let places: [BackendScope]
    /// The key of its section that determines the scope.
    let placeKey: String
    /// The scheme of key URLs; nil if its objects have paths only.
    private let keyScheme: String?
    private let makeDriver: @Sendable (TransferLoop) -> any Driver
    var attach: AttachRule?
    var redirects = false
    /// The connection limit; nil for none.
    var connections: Connections?
    /// The inputs it was read from.
    var source: BackendSource?

    init(
        id: BackendID, driverName: String, root: String? = nil, base: LocationURL?, keyScheme: String? = nil,
        place: BackendScope? = nil, placeKey: String, makeDriver: @escaping @Sendable (TransferLoop) -> any Driver
    ) {
        self.id = id
        self.driverName = driverName
        self.root = root
        self.base = base
        places = [base.map(BackendScope.init), place].compactMap { $0 }
        self.placeKey = placeKey
        self.keyScheme = keyScheme
        self.makeDriver = makeDriver
    }

    /// The readers of the drivers' sections.
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
            connections: connections?.start(), redirects: redirects)
    }

    private static func file(_ section: BackendSection, _ configuration: BatonConfiguration) -> ConfiguredBackend? {
        guard let root = section.settings.requiredString("root", example: "/srv/images") else { return nil }
        guard root.hasPrefix("/") else {
            section.settings.reject("root", "\"\(root)\" is no absolute path")
            return nil
        }
        do {
            return try directory(root, id: section.id, transfer: configuration.transfer)
        } catch {
            section.settings.reject("root", "\(error)")
            return nil
        }
    }

    /// The files below a directory.
    /// - Parameter root: an absolute path.
    static func directory(
        _ root: String, id: BackendID, transfer: BatonConfiguration.Transfer
    ) throws -> ConfiguredBackend {
        let base = try LocationURL("file:///" + LocationURL.encode(path: String(root.drop { $0 == "/" })))
        guard !base.segments.isEmpty else { throw WholeFileSystem() }
        return ConfiguredBackend(id: id, driverName: "file", root: root, base: base, placeKey: "root") { _ in
            FileDriver(
                root: root, workers: FileWorkers(name: id.name, limit: transfer.fileWorkers),
                maximumRange: Int64(transfer.fileRange.count))
        }
    }

    private struct WholeFileSystem: Error, CustomStringConvertible {
        let description =
            "is the whole file system, with every password and key in it: name the directory that the images lie in"
    }
}
