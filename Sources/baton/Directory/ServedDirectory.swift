import BatonConfig
import FoundationEssentials
import HTTPServing
import ImageModel

/// A server of one directory, without a configuration file. Its catalog is removed when the server ends.
struct ServedDirectory {
    /// The id of the directory's backend.
    static let backend = BackendID("dir")

    private let scan: DirectoryScan
    private let home: PrivateDirectory
    private let listen: ListenAddress

    /// - Parameter listen: the listening address; nil for the default of `server.listen`.
    /// - Throws: `DirectoryError`, or `ValidationError` for `listen`.
    init(path: String, home: PrivateDirectory, listen: String?) throws {
        self.home = home
        scan = try DirectoryScan(path)
        let defaults = BatonConfiguration()
        self.listen = try listen.map { try ConfigurationOption.address($0, for: defaults.auth.mode) } ?? defaults.server.listen
    }

    /// Serves the directory until a signal ends the server.
    func run(isVerifyingWholes: Bool, onRunning: @escaping @Sendable (String) -> Void) async throws {
        for skipped in scan.skipped { Standard.error.line("baton: \(skipped.path) is skipped: \(skipped.reason)") }
        let settings = try settings()
        var server = try BatonServer(isVerifyingWholes: isVerifyingWholes) { settings }
        server.directory = scan
        do {
            try await server.run(onRunning: onRunning)
        } catch let error as ListenError {
            throw DirectoryListenError(cause: error)
        }
    }

    private func settings() throws -> (BatonConfiguration, [ConfiguredBackend]) {
        var configuration = BatonConfiguration()
        configuration.server.listen = listen
        // A user who stops the server at a terminal does not expect it to wait an hour for a download.
        configuration.server.drainTimeout = .seconds(10)
        configuration.catalog = "\(home.path)/catalog.sqlite"
        configuration.log.level = .warning
        return (
            configuration,
            [try ConfiguredBackend.directory(scan.root, id: Self.backend, transfer: configuration.transfer)]
        )
    }
}

/// A listening error whose advice does not mention `server.listen`, since there is no configuration file.
struct DirectoryListenError: Error, CustomStringConvertible {
    let cause: ListenError

    var description: String { "\(cause)".replacing("server.listen or ", with: "") }
}
