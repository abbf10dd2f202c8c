import BackendKit
import BatonConfig
import CurlTransfer
import GlanceAPI
import HTTPServing
import ImageCatalog
import ImageUpload
import Logging
import RelayEngine
import Telemetry

/// Reloads the configuration while the server runs. A file with an error changes nothing.
actor ConfigurationReload {
    /// The parts of a running server that can be reconfigured.
    struct Parts: Sendable {
        let relays: Relays
        let maintenance: Maintenance
        let loop: TransferLoop
        let certificate: ServerCertificate?
        let access: Reloadable<CallerAccess>
        /// The number of descriptors that this process may have.
        let descriptors: Int
        let limits: Reloadable<ServerLimits>
        let exposure: Reloadable<ServerExposure>
        let quota: Reloadable<ProjectQuota>
        let uploads: Reloadable<UploadTarget?>
        let makeUploads: @Sendable (BatonConfiguration, [ConfiguredBackend]) -> UploadTarget?
        /// The settings of a drain.
        let timing: Reloadable<BatonConfiguration.Server>
        let log: LogOutput
    }

    /// The configuration in effect.
    private var configuration: BatonConfiguration
    private var backends: [ConfiguredBackend]
    /// The listening address, which a reload does not change.
    private let listen: ListenAddress?
    private let parts: Parts
    private let read: @Sendable () throws -> (BatonConfiguration, [ConfiguredBackend])
    private let logger: Logger

    /// - Parameters:
    ///   - listen: the listening address; nil if only users of this machine can connect.
    ///   - read: reads and checks the file.
    init(
        _ configuration: BatonConfiguration, backends: [ConfiguredBackend], listen: ListenAddress?, parts: Parts,
        logger: Logger, read: @escaping @Sendable () throws -> (BatonConfiguration, [ConfiguredBackend])
    ) {
        self.configuration = configuration
        self.backends = backends
        self.listen = listen
        self.parts = parts
        self.read = read
        self.logger = logger
    }

    /// The parts of a new configuration that can fail, created before any of it takes effect.
    private struct Candidate {
        let configuration: BatonConfiguration
        let backends: [ConfiguredBackend]
        let access: CallerAccess
        let certificate: ServerCertificate?
    }

    /// Reads the file and applies it if it is valid. Logs the result.
    /// - Parameter cause: what requested the reload, e.g. `SIGHUP`.
    func reload(because cause: String) {
        let candidate: Candidate
        do {
            candidate = try load()
        } catch {
            for problem in problems(of: error) {
                logger.error(
                    "configuration.reload_failed: The new configuration is not valid. The previous one stays in use.",
                    metadata: ["cause": "\(cause)", "problem": "\(problem)"])
            }
            return
        }
        let waiting = candidate.configuration.settingsForNextStart(insteadOf: configuration)
        apply(candidate)
        configuration.warnOfFormerKeys(logger)
        logger.notice(
            "configuration.reloaded: The configuration was read again.",
            metadata: [
                "cause": "\(cause)", "backends": .array(backends.map { "\($0.id)" }),
                "auth": "\(configuration.auth.mode.rawValue)",
            ])
        if !waiting.isEmpty {
            logger.warning(
                "configuration.restart_needed: Some changes take effect at the next start.",
                metadata: ["keys": .array(waiting.map { "\($0)" })])
        }
    }

    private func load() throws -> Candidate {
        let (new, newBackends) = try read()
        if let listen, !new.auth.mode.allows(listen) { throw ActivationError.reachable(listen) }
        let isSame = new.auth == configuration.auth && new.auth.mode == .keystone
        let access =
            isSame
            ? parts.access.current  // keeps its cached validations
            : CallerAccess(
                authenticator: try new.auth.authenticator(loop: parts.loop, logger: logger), trusted: new.auth.trusted)
        let certificate = parts.certificate == nil ? nil : try new.server.loadCertificate()
        // This is the last step, since it changes the file system.
        try new.uploadDirectory(newBackends)?.prepare()
        return Candidate(configuration: new, backends: newBackends, access: access, certificate: certificate)
    }

    private func problems(of error: any Error) -> [String] {
        if let error = error as? ConfigurationError { return error.problems.map(\.description) }
        return ["\(error)"]
    }

    private func apply(_ new: Candidate) {
        // The settings outside its section that a backend depends on.
        let hasSameSharedSettings =
            new.configuration.relay.connectTimeout == configuration.relay.connectTimeout
            && new.configuration.transfer == configuration.transfer
        let known = Dictionary(backends.map { ($0.id, $0.source) }, uniquingKeysWith: { first, _ in first })
        let registry = parts.relays.registry
        registry.replace(
            with: new.backends.map { backend in
                // An unchanged backend keeps its connections and its log-in.
                if hasSameSharedSettings, let source = known[backend.id], source == backend.source,
                    let running = registry[backend.id]
                {
                    return running
                }
                return backend.start(on: parts.loop)
            })
        configuration = new.configuration
        backends = new.backends
        parts.relays.configure(
            policy: configuration.relayPolicy, strategy: configuration.selection.strategy.forSelection,
            penalty: configuration.selection.penalty, breaker: configuration.selection.breaker)
        parts.maintenance.configure(configuration)
        // Without authentication the server refuses web pages. The order ensures that this refusal is in effect whenever
        // authentication is off.
        let exposure = configuration.exposure(at: listen)
        if configuration.auth.mode == .none { parts.exposure.replace(with: exposure) }
        parts.access.replace(with: new.access)
        parts.exposure.replace(with: exposure)
        if let certificate = new.certificate { parts.certificate?.replace(with: certificate) }
        parts.limits.replace(with: configuration.connectionLimits(parts.descriptors))
        parts.quota.replace(with: configuration.quotas.ofProject)
        parts.uploads.replace(with: parts.makeUploads(configuration, backends))
        parts.timing.replace(with: configuration.server)
        parts.log.level = configuration.log.level.forLogger
    }
}

extension BatonConfiguration {
    /// The changed keys that take effect only after a restart.
    func settingsForNextStart(insteadOf running: BatonConfiguration) -> [String] {
        var keys: [String] = []
        func compare<Value: Equatable>(_ key: String, _ value: (BatonConfiguration) -> Value) {
            if value(self) != value(running) { keys.append(key) }
        }
        compare("server.listen", \.server.listen)
        compare("server.socket_mode", \.server.socketMode)
        compare("server.file_mode", \.server.fileMode)
        compare("server.certificate_file") { $0.server.certificate == nil }
        compare("catalog", \.catalog)
        compare("activation", \.activation)
        compare("relay.slab", \.relay.slab)
        compare("relay.memory", \.relay.memory)
        compare("relay.memory_timeout", \.relay.memoryTimeout)
        compare("relay.downloads_per_caller", \.relay.downloadsPerCaller)
        compare("maintenance", \.maintenance)
        compare("manifests", \.manifests)
        compare("transfer", \.transfer)
        compare("direct", \.direct)
        compare("log.format", \.log.format)
        return keys
    }
}
