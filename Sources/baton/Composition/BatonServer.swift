import BackendKit
import BatonConfig
import CurlTransfer
import Downloads
import FoundationEssentials
import GlanceAPI
import HTTPServing
import ImageCatalog
import ImageModel
import LocationLifecycle
import LocationSelection
import Logging
import RelayEngine
import ServiceLifecycle
import Telemetry
import Verification

/// The server, composed from its configuration.
struct BatonServer {
    let configuration: BatonConfiguration
    let backends: [ConfiguredBackend]
    /// The directory whose images are registered at the start; nil with a configuration file.
    var directory: DirectoryScan?
    private let isVerifyingWholes: Bool
    private let output: LogOutput
    let logger: Logger
    private let read: @Sendable () throws -> (BatonConfiguration, [ConfiguredBackend])

    /// - Parameters:
    ///   - isVerifyingWholes: whether whole digests are compared; false only for measurements.
    ///   - read: reads the configuration, now and at each reload.
    init(
        isVerifyingWholes: Bool, read: @escaping @Sendable () throws -> (BatonConfiguration, [ConfiguredBackend])
    ) throws {
        (configuration, backends) = try read()
        self.isVerifyingWholes = isVerifyingWholes
        self.read = read
        let log = configuration.log
        let output = LogOutput(level: log.level.forLogger, format: log.format.forTelemetry)
        self.output = output
        logger = Logger(label: "baton") { label in LineLogHandler(label: label, output: output) }
    }

    /// Runs until a signal ends the server.
    /// - Parameter onRunning: called with the server's URL or socket path once it listens.
    func run(onRunning: @escaping @Sendable (String) -> Void) async throws {
        // The wait is limited, since nothing may be reading the log.
        defer { output.flush(within: .seconds(1)) }
        if !isVerifyingWholes {
            logger.warning("server.unverified: Whole digests are not compared. Use this for measurements only.")
        }
        configuration.warnOfFormerKeys(logger)
        let socket = try ActivatedSocket.take()
        if let address = socket?.address, !configuration.auth.mode.allows(address) { throw ActivationError.reachable(address) }
        let descriptors = DescriptorLimit.raise()
        let certificate = try configuration.server.loadCertificate()
        configuration.server.fileMode.limitProcess()
        // The lock is taken before anything is changed, since another server may be running.
        let lock = try await CatalogLock.take(configuration.catalog)
        let catalog = try SQLiteCatalog(path: configuration.catalog, mode: configuration.server.fileMode)
        let unfinished = try await catalog.recoverAfterStart(at: .now)
        FreedMemory.returnLargeBlocksAtOnce()
        let memory = configuration.relay.sharedMemory
        let loops = startLoops()
        defer { for loop in loops { loop.stop() } }
        let relays = Relays(
            registry: BackendRegistry(backends.map { $0.start(on: loops[0]) }), loops: loops,
            policy: configuration.relayPolicy,
            strategy: configuration.selection.strategy.forSelection, penalty: configuration.selection.penalty,
            breaker: configuration.selection.breaker, isVerifyingWholes: isVerifyingWholes, chunkSize: configuration.chunkSize,
            memory: memory)
        // Full reads run on a thread of their own with a lower priority than downloads.
        let background = TransferLoop(name: "maintenance", slabSize: configuration.relay.slab.count, isBackground: true)
        defer { background.stop() }
        let metrics = MetricsRegistry()
        let holds = PendingIntegrityHolds(verifications: catalog)
        let deliveries = UnverifiedDeliveries()
        let maintenance = Maintenance(
            configuration, catalog: catalog, relays: relays, holds: holds, loop: background, metrics: metrics, logger: logger)
        for location in unfinished { maintenance.verifications.enqueue(location.id) }
        let registrar = maintenance.registrar(for: catalog)
        let servedDirectory: DirectoryService? =
            if let directory {
                try await DirectoryService(
                    directory, in: catalog, of: ServedDirectory.backend, health: relays.health, registrar: registrar)
            } else {
                nil
            }
        let manifests = ManifestCache(manifests: catalog, logger: logger)
        let recorder = DownloadRecorder(
            catalog: catalog, verifications: maintenance.verifications, holds: holds, deliveries: deliveries,
            metrics: DownloadMetrics(in: metrics))
        LiveMetrics(catalog: catalog, relays: relays, loops: loops + [background], maintenance: maintenance, log: output)
            .register(in: metrics)
        let makeUploads: @Sendable (BatonConfiguration, [ConfiguredBackend]) -> UploadTarget? = { [probe = maintenance.probe] in
            $0.uploadTarget($1, relays.registry, probe)
        }
        let uploads = Reloadable(makeUploads(configuration, backends))
        let recovery = try await UploadRecovery.start(
            catalog, uploads.current, roots: backends.compactMap(\.root), interval: configuration.maintenance.interval,
            logger: logger)
        let expiry = UploadExpiry(
            targets: uploads, uploads: catalog, delay: configuration.maintenance.deleteDelay,
            interval: configuration.maintenance.interval,
            logger: logger)
        let access = Reloadable(
            CallerAccess(
                authenticator: try configuration.auth.authenticator(loop: loops[0], logger: logger),
                trusted: configuration.auth.trusted))
        let listen: ListenAddress? = socket.map(\.address) ?? configuration.server.listen
        let quota = Reloadable(configuration.quotas.ofProject)
        let limits = Reloadable(configuration.connectionLimits(descriptors))
        let exposure = Reloadable(configuration.exposure(at: listen))
        let drain = Drain()
        let composition = HTTPComposition(
            catalog: catalog, relays: relays, recorder: recorder, holds: holds, deliveries: deliveries,
            manifests: manifests, registrar: registrar, statusChanges: maintenance.statusChanges,
            verifications: maintenance.verifications, uploads: uploads, quota: quota, access: access,
            directLifetime: configuration.direct.lifetime, metrics: metrics, limits: limits, exposure: exposure, drain: drain)
        let timing = Reloadable(configuration.server)
        let reload = ConfigurationReload(
            configuration, backends: backends, listen: listen,
            parts: .init(
                relays: relays, maintenance: maintenance, loop: loops[0], certificate: certificate, access: access,
                descriptors: descriptors,
                limits: limits, exposure: exposure, quota: quota, uploads: uploads, makeUploads: makeUploads, timing: timing,
                log: output),
            logger: logger, read: read)
        let notifier = ServiceNotifier()
        let http = composition.service(
            at: socket.map(\.listenTarget) ?? configuration.server.listenTarget, certificate: certificate, logger: logger
        ) { [logger, configuration, backends] (port: Int) in
            let address = listen.map { $0.url(port: port, isSecure: certificate != nil) } ?? socket?.name ?? ""
            logger.notice("server.started: Baton is serving.", metadata: configuration.summary(at: address, backends))
            notifier.ready("Serving at \(address).")
            onRunning(address)
            servedDirectory?.listens(at: address)
        }
        let renewal: [any Service] = certificate.map { [CertificateRenewal(certificate: $0, logger: logger)] } ?? []
        let release = MemoryRelease(running: relays.running, loop: background)
        try await ServerRun(
            background: maintenance.services + renewal + [expiry, release] + (recovery.map { [$0] } ?? [])
                + (servedDirectory.map { [$0] } ?? []),
            front: http,
            drain: drain, notifier: notifier,
            watchdog: Watchdog(notifier: notifier, loops: loops + [background]),
            timing: timing,
            reload: {
                notifier.reloading()
                await reload.reload(because: "SIGHUP")
                notifier.ready("Serving.")
            },
            handOver: { lock.release() }, flushLog: { [output] in output.flush(within: .seconds(1)) },
            runningDownloads: { relays.running.count }, logger: logger
        ).run()
        logger.notice("server.stopped: Baton has stopped.")
    }

    private func startLoops() -> [TransferLoop] {
        let processors = ProcessInfo.processInfo.activeProcessorCount
        let count = configuration.transfer.loops > 0 ? configuration.transfer.loops : max(1, min(processors, 64))
        return (0..<count).map { TransferLoop(name: "transfer \($0)", slabSize: configuration.relay.slab.count) }
    }
}

extension BatonConfiguration {
    /// The server's exposure to browsers and its public address.
    /// - Parameter listen: the listening address; nil if only users of this machine can connect.
    func exposure(at listen: ListenAddress?) -> ServerExposure {
        .init(
            corsOrigins: server.corsOrigins, publicURL: server.publicURL, isOpenToEverybody: auth.mode == .none,
            host: listen.flatMap { $0.socketFile == nil ? $0.host : nil })
    }

    /// The limits of client connections.
    /// - Parameter descriptors: the number of descriptors that this process may have.
    func connectionLimits(_ descriptors: Int) -> ServerLimits {
        let connections = DescriptorLimit.connections(
            descriptors, total: server.maximumConnections, perAddress: server.maximumConnectionsPerAddress)
        return .init(
            idleTimeout: server.idleTimeout, headTimeout: server.headerTimeout,
            // Relays detect stalled clients themselves and log them; this limit is for all other responses.
            stallTimeout: relay.policy.clientStallTimeout + .seconds(5), headerSize: server.maximumHeaderSize.count,
            connections: connections.total, connectionsPerAddress: connections.perAddress)
    }

    /// The limits of each download.
    var relayPolicy: RelayPolicy {
        var policy = relay.policy
        policy.batch = max(policy.batch, Int64(transfer.fileRange.count))
        return policy
    }

    /// Warns of each key of an earlier version that the file uses.
    func warnOfFormerKeys(_ logger: Logger) {
        for problem in formerKeys {
            logger.warning(
                "configuration.former_key: The configuration uses the former name of a key.",
                metadata: ["problem": "\(problem)"])
        }
    }

    /// The metadata of the log line at the start.
    fileprivate func summary(at address: String, _ backends: [ConfiguredBackend]) -> Logger.Metadata {
        [
            "version": "\(Baton.version)", "listen": "\(address)", "catalog": "sqlite:\(catalog)",
            "backends": .array(backends.map { "\($0.id) (\($0.driverName))" }), "auth": "\(auth.mode.rawValue)",
        ]
    }
}

extension BatonConfiguration.Server {
    /// The address to listen at.
    fileprivate var listenTarget: ListenTarget {
        if let path = listen.socketFile { return .socketFile(path: path, mode: socketMode.bits) }
        return .address(host: listen.host, port: listen.port)
    }

    /// Loads the server's certificate; nil for plain HTTP.
    func loadCertificate() throws(ServerCertificateError) -> ServerCertificate? {
        guard let certificate else { return nil }
        return try ServerCertificate(certificateFile: certificate.certificate, keyFile: certificate.key)
    }
}

extension ListenAddress {
    /// The URL at which clients reach the server.
    /// - Parameter port: the port that was assigned.
    fileprivate func url(port: Int, isSecure: Bool) -> String {
        if socketFile != nil { return description }
        return "\(isSecure ? "https" : "http")://\(ListenAddress(host: host, port: port))"
    }
}

extension ActivatedSocket {
    fileprivate var listenTarget: ListenTarget { .inherited(descriptor: descriptor, name: name) }
}

extension BatonConfiguration.Relay {
    /// The memory that all downloads share.
    fileprivate var sharedMemory: RelayMemory {
        RelayMemory(
            limit: memory.map { Int64($0.count) } ?? MachineMemory().available / 4, downloadsPerCaller: downloadsPerCaller,
            timeout: memoryTimeout)
    }
}

extension BatonConfiguration.Strategy {
    var forSelection: SelectionStrategy {
        switch self {
        case .ordered: .ordered
        case .weighted: .weighted
        case .measured: .measured
        }
    }
}

extension BatonConfiguration.Selection {
    var breaker: Breaker.Limits {
        var limits = Breaker.Limits()
        limits.failures = breakerFailures
        limits.opening = breakerOpening
        limits.longestOpening = breakerLongestOpening
        return limits
    }
}

extension BatonConfiguration.LogLevel {
    var forLogger: Logger.Level {
        switch self {
        case .trace: .trace
        case .debug: .debug
        case .info: .info
        case .notice: .notice
        case .warning: .warning
        case .error: .error
        }
    }
}

extension BatonConfiguration.LogFormat {
    fileprivate var forTelemetry: Telemetry.LogFormat {
        switch self {
        case .text: .text
        case .json: .json
        }
    }
}
