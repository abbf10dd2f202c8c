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
internal import UnixSignals

/// All of Baton, put together from its configuration.
struct BatonServer {
    let configuration: BatonConfiguration
    let backends: [ConfiguredBackend]
    private let provesWholes: Bool
    let logger: Logger

    /// - Parameter provesWholes: false for measurements only.
    init(_ configuration: BatonConfiguration, backends: [ConfiguredBackend], provesWholes: Bool) {
        self.configuration = configuration
        self.backends = backends
        self.provesWholes = provesWholes
        let log = configuration.log
        logger = Logger(label: "baton") { label in
            LineLogHandler(label: label, level: log.level.forLogger, format: log.format.forTelemetry)
        }
    }

    /// Serves until a signal ends it.
    /// - Parameter onRunning: called with the address it listens at, once it does.
    func run(onRunning: @escaping @Sendable (ListenAddress) -> Void) async throws {
        if !provesWholes { logger.warning("Digests are not compared: good for measurements, and for nothing else.") }
        let descriptors = DescriptorLimit.raise()
        let certificate = try configuration.server.loadCertificate()
        configuration.server.fileMode.limitProcess()
        let catalog = try SQLiteCatalog(path: configuration.catalog, mode: configuration.server.fileMode)
        let unfinished = try await catalog.recoverAfterStart(at: .now)
        let cutOff = try await catalog.recoverImagesAfterStart(at: .now)
        FreedMemory.returnLargeBlocksAtOnce()
        let memory = configuration.relay.sharedMemory
        let loops = startLoops()
        defer { for loop in loops { loop.stop() } }
        let relays = Relays(
            registry: BackendRegistry(backends.map { $0.start(on: loops[0]) }), loops: loops,
            policy: configuration.relay.policy(batch: max(1 << 20, Int64(configuration.transfer.fileRange.count))),
            strategy: configuration.selection.strategy.forSelection, penalty: configuration.selection.penalty,
            breaker: configuration.selection.breaker, provesWholes: provesWholes, chunkSize: configuration.chunkSize,
            memory: memory)
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
        LiveMetrics(catalog: catalog, relays: relays, loops: loops + [background], upkeep: upkeep).register(in: metrics)
        let uploads = uploadTarget(relays.registry, upkeep.inquiry)
        try await uploads?.recover(cutOff, catalog: catalog)
        let authenticator = try configuration.auth.authenticator(loop: relays.nextLoop(), logger: logger)
        let connections = DescriptorLimit.connections(
            descriptors, total: configuration.server.maximumConnections,
            perAddress: configuration.server.maximumConnectionsPerAddress)
        let server = ImageServer(
            catalog: catalog, relays: relays, journal: journal, doubts: doubts, manifests: manifests,
            activation: upkeep.activation, lifecycle: upkeep.lifecycle, proofs: upkeep.proofs,
            admission: VerifyingAdmission(
                catalog: catalog, activation: upkeep.activation, proofs: upkeep.proofs, inquiry: upkeep.inquiry),
            uploads: uploads, quota: configuration.quotas.ofProject, authenticator: authenticator,
            trusted: configuration.auth.trusted,
            directLifetime: configuration.direct.lifetime, metrics: metrics,
            limits: .init(
                idleTimeout: configuration.server.idleTimeout, headTimeout: configuration.server.headerTimeout,
                // Relays notice it themselves, and say so in the log; this is for all other answers.
                stallTimeout: configuration.relay.clientStallTimeout + .seconds(5),
                headerSize: configuration.server.maximumHeaderSize.count, connections: connections.total,
                connectionsPerAddress: connections.perAddress),
            exposure: configuration.exposure)
        let listen = configuration.server.listen
        let http = server.service(
            at: configuration.server.place, certificate: certificate, logger: logger
        ) { port in
            onRunning(listen.socketFile == nil ? ListenAddress(host: listen.host, port: port) : listen)
        }
        let renewal = certificate.map { [CertificateRenewal(certificate: $0, logger: logger)] } ?? []
        // Stopped in reverse order: first the server, whose last downloads may still have something to be proven.
        var group = ServiceGroupConfiguration(
            services: upkeep.services + uploadExpiry(uploads, catalog) + renewal
                + [MemoryRelease(relays: relays, loop: background)] + [http],
            gracefulShutdownSignals: [.sigterm, .sigint],
            cancellationSignals: [.sigquit], logger: logger)
        group.maximumGracefulShutdownDuration = configuration.server.drainTimeout
        try await ServiceGroup(configuration: group).run()
    }

    private func startLoops() -> [TransferLoop] {
        let processors = ProcessInfo.processInfo.activeProcessorCount
        let count = configuration.transfer.loops > 0 ? configuration.transfer.loops : max(1, min(processors, 64))
        return (0..<count).map { TransferLoop(name: "transfer \($0)", slabSize: configuration.relay.slab.count) }
    }
}

extension BatonConfiguration {
    /// From where clients come.
    fileprivate var exposure: ImageServer.Exposure {
        .init(
            corsOrigins: server.corsOrigins, publicURL: server.publicURL, admitsEverybody: auth.mode == .none,
            host: server.listen.socketFile == nil ? server.listen.host : nil)
    }
}

extension BatonConfiguration.Server {
    /// Where clients connect.
    fileprivate var place: ListenPlace {
        if let path = listen.socketFile { return .socketFile(path: path, mode: socketMode) }
        return .address(host: listen.host, port: listen.port)
    }

    /// What clients are shown; nil for plain HTTP.
    func loadCertificate() throws(ServerCertificateError) -> ServerCertificate? {
        guard let certificate else { return nil }
        return try ServerCertificate(certificateFile: certificate.certificate, keyFile: certificate.key)
    }
}

extension BatonConfiguration.Relay {
    /// The limits in the relay's own terms.
    /// - Parameter batch: how many bytes may come at a time.
    fileprivate func policy(batch: Int64) -> RelayPolicy {
        var policy = RelayPolicy()
        policy.stallTimeout = stallTimeout
        policy.stallTimeoutLimit = stallTimeoutLimit
        policy.slow.factor = slowFactor
        policy.slow.window = slowWindow
        policy.slow.floor = Int64(slowRate.count)
        policy.slow.dwell = slowDwell
        policy.giveUpAfter = giveUpAfter
        policy.clientStallTimeout = clientStallTimeout
        policy.permitTimeout = permitTimeout
        policy.revisits = revisits
        policy.refundAfter = Int64(refundAfter.count)
        policy.backoff = backoff
        policy.backoffLimit = backoffLimit
        policy.discardLimit = Int64(discardLimit.count)
        policy.tail = Int64(tail.count)
        policy.window = Int64(window.count)
        policy.batch = batch
        return policy
    }

    /// The memory that all downloads share.
    fileprivate var sharedMemory: RelayMemory {
        RelayMemory(
            limit: memory.map { Int64($0.count) } ?? MachineMemory().available / 4, downloadsPerCaller: downloadsPerCaller,
            patience: memoryTimeout)
    }
}

extension BatonConfiguration.Strategy {
    fileprivate var forSelection: SelectionStrategy {
        switch self {
        case .ordered: .ordered
        case .weighted: .weighted
        case .measured: .measured
        }
    }
}

extension BatonConfiguration.Selection {
    fileprivate var breaker: Breaker.Limits {
        var limits = Breaker.Limits()
        limits.failures = breakerFailures
        limits.opening = breakerOpening
        limits.longestOpening = breakerLongestOpening
        return limits
    }
}

extension BatonConfiguration.LogLevel {
    fileprivate var forLogger: Logger.Level {
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
