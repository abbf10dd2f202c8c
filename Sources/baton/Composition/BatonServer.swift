internal import BackendKit
internal import BatonConfig
internal import CurlTransfer
internal import FoundationEssentials
internal import ImageAPI
internal import ImageCatalog
internal import ImageModel
internal import LocationSelection
internal import LocationUpkeep
internal import Logging
internal import RelayEngine
internal import ServiceLifecycle
internal import Telemetry

/// All of Baton, put together from its configuration.
struct BatonServer {
    let configuration: BatonConfiguration
    let backends: [ConfiguredBackend]
    private let provesWholes: Bool
    private let output: LogOutput
    private let logger: Logger
    private let read: @Sendable () throws -> (BatonConfiguration, [ConfiguredBackend])

    /// - Parameters:
    ///   - provesWholes: false for measurements only.
    ///   - read: reads the configuration, now and when it may have changed.
    init(
        provesWholes: Bool, read: @escaping @Sendable () throws -> (BatonConfiguration, [ConfiguredBackend])
    ) throws {
        (configuration, backends) = try read()
        self.provesWholes = provesWholes
        self.read = read
        let log = configuration.log
        let output = LogOutput(level: log.level.forLogger, format: log.format.forTelemetry)
        self.output = output
        logger = Logger(label: "baton") { label in LineLogHandler(label: label, output: output) }
    }

    /// Serves until a signal ends it.
    /// - Parameter onRunning: called with the place it listens at, once it does.
    func run(onRunning: @escaping @Sendable (String) -> Void) async throws {
        // Not for ever: nobody may be reading.
        defer { output.flush(within: .seconds(1)) }
        if !provesWholes { logger.warning("Digests are not compared: good for measurements, and for nothing else.") }
        let socket = try ActivatedSocket.take()
        if let address = socket?.address, !configuration.auth.mode.allows(address) { throw ActivationError.reachable(address) }
        let certificate = try configuration.server.loadCertificate()
        // Before anything is touched: another server may be at work.
        let lock = try await CatalogLock.take(configuration.catalog)
        let catalog = try SQLiteCatalog(path: configuration.catalog)
        let unfinished = try await catalog.recoverAfterStart(at: .now)
        let loops = startLoops()
        defer { for loop in loops { loop.stop() } }
        let relays = Relays(
            registry: BackendRegistry(backends.map { $0.start(on: loops[0]) }), loops: loops,
            policy: configuration.relay.policy,
            strategy: configuration.selection.strategy.forSelection, penalty: configuration.selection.penalty,
            breaker: configuration.selection.breaker, provesWholes: provesWholes, chunkSize: configuration.chunkSize)
        // Full reads have a thread of their own, which steps back where there is not enough processor for all.
        let background = TransferLoop(name: "upkeep", slabSize: configuration.relay.slab.count, isBackground: true)
        defer { background.stop() }
        let metrics = MetricsRegistry()
        let doubts = PendingDoubts(catalog: catalog)
        let upkeep = Upkeep(
            configuration, catalog: catalog, relays: relays, doubts: doubts, loop: background, metrics: metrics, logger: logger)
        for location in unfinished { upkeep.proofs.enqueue(location.id) }
        let manifests = ManifestShelf(catalog: catalog, logger: logger)
        let journal = RelayJournal(
            catalog: catalog, proofs: upkeep.proofs, doubts: doubts, metrics: RelayMetrics(in: metrics))
        LiveMetrics(catalog: catalog, relays: relays, loops: loops + [background], upkeep: upkeep, log: output)
            .register(in: metrics)
        let makeUploads: @Sendable (BatonConfiguration, [ConfiguredBackend]) -> UploadTarget? = { [inquiry = upkeep.inquiry] in
            $0.uploadTarget($1, relays.registry, inquiry)
        }
        let uploads = Reloadable(makeUploads(configuration, backends))
        let recovery = try await UploadRecovery.start(
            catalog, uploads.current, interval: configuration.upkeep.round, logger: logger)
        let access = Reloadable(
            CallerAccess(
                authenticator: try configuration.auth.authenticator(loop: loops[0], logger: logger),
                trusted: configuration.auth.trusted))
        let limits = Reloadable(configuration.connectionLimits)
        let drain = Drain()
        let server = ImageServer(
            catalog: catalog, relays: relays, journal: journal, doubts: doubts, manifests: manifests,
            activation: upkeep.activation, lifecycle: upkeep.lifecycle, proofs: upkeep.proofs,
            admission: VerifyingAdmission(
                catalog: catalog, activation: upkeep.activation, proofs: upkeep.proofs, inquiry: upkeep.inquiry),
            uploads: uploads, access: access, directLifetime: configuration.direct.lifetime, metrics: metrics,
            limits: limits, drain: drain)
        let reload = ConfigurationReload(
            configuration, backends: backends, listen: socket.map(\.address) ?? configuration.server.listen,
            parts: .init(
                relays: relays, loop: loops[0], certificate: certificate, access: access, limits: limits, uploads: uploads,
                makeUploads: makeUploads, log: output),
            logger: logger, read: read)
        let notifier = ServiceNotifier()
        let http = server.service(
            at: listenPlace(socket), certificate: certificate, logger: logger
        ) { [logger, configuration, backends] port in
            let scheme = certificate == nil ? "http" : "https"
            let address = socket?.address ?? ListenAddress(host: configuration.server.listen.host, port: port)
            let place = socket.map { $0.address == nil ? $0.name : "\(scheme)://\(address)" } ?? "\(scheme)://\(address)"
            logger.notice("Baton serves.", metadata: configuration.summary(at: place, backends))
            notifier.ready("Serves at \(place).")
            onRunning(place)
        }
        let renewal: [any Service] = certificate.map { [CertificateRenewal(certificate: $0, logger: logger)] } ?? []
        try await ServerRun(
            background: upkeep.services + renewal + (recovery.map { [$0] } ?? []), front: http, drain: drain,
            notifier: notifier,
            watchdog: Watchdog(notifier: notifier, loops: loops + [background]),
            timing: { await reload.configuration.server },
            reload: {
                notifier.reloading()
                await reload.reload(because: "SIGHUP")
                notifier.ready("Serves.")
            },
            handOver: { lock.release() }, flushLog: { [output] in output.flush(within: .seconds(1)) },
            runningDownloads: { relays.runningCount }, logger: logger
        ).run()
        logger.notice("Baton has stopped.")
    }

    private func listenPlace(_ socket: ActivatedSocket?) -> ListenPlace {
        if let socket { return .inherited(descriptor: socket.descriptor, name: socket.name) }
        return .address(host: configuration.server.listen.host, port: configuration.server.listen.port)
    }

    private func startLoops() -> [TransferLoop] {
        let processors = ProcessInfo.processInfo.activeProcessorCount
        let count = configuration.transfer.loops > 0 ? configuration.transfer.loops : max(1, min(processors, 64))
        return (0..<count).map { TransferLoop(name: "transfer \($0)", slabSize: configuration.relay.slab.count) }
    }
}

extension BatonConfiguration {
    /// The limits of a client's connection.
    var connectionLimits: ImageServer.Limits {
        .init(
            idleTimeout: server.idleTimeout, headTimeout: server.headerTimeout,
            // Relays notice it themselves, and say so in the log; this is for all other answers.
            stallTimeout: relay.clientStallTimeout + .seconds(5), headerSize: server.maximumHeaderSize.count)
    }

    /// What the log says when the server starts.
    fileprivate func summary(at place: String, _ backends: [ConfiguredBackend]) -> Logger.Metadata {
        [
            "version": "\(Baton.version)", "listen": "\(place)", "catalog": "sqlite:\(catalog)",
            "backends": .array(backends.map { "\($0.id) (\($0.driverName))" }), "auth": "\(auth.mode.rawValue)",
        ]
    }
}

extension BatonConfiguration.Server {
    /// What clients are shown; nil for plain HTTP.
    func loadCertificate() throws(ServerCertificateError) -> ServerCertificate? {
        guard let certificate else { return nil }
        return try ServerCertificate(certificateFile: certificate.certificate, keyFile: certificate.key)
    }
}

extension BatonConfiguration.Relay {
    /// The limits in the relay's own terms.
    var policy: RelayPolicy {
        var policy = RelayPolicy()
        policy.stallTimeout = stallTimeout
        policy.stallTimeoutLimit = stallTimeoutLimit
        policy.slow.factor = slowFactor
        policy.slow.window = slowWindow
        policy.slow.floor = Int64(slowRate.count)
        policy.slow.dwell = slowDwell
        policy.giveUpAfter = giveUpAfter
        policy.clientStallTimeout = clientStallTimeout
        policy.revisits = revisits
        policy.refundAfter = Int64(refundAfter.count)
        policy.backoff = backoff
        policy.backoffLimit = backoffLimit
        policy.discardLimit = Int64(discardLimit.count)
        policy.tail = Int64(tail.count)
        policy.window = Int64(window.count)
        return policy
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
