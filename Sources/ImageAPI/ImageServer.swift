internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
public import Identity
public import ImageCatalog
internal import ImageModel
public import LocationUpkeep
public import Logging
internal import NIOCore
public import RelayEngine
public import ServiceLifecycle
public import Telemetry

/// Everything that answers HTTP, put together.
public struct ImageServer: Sendable {
    /// What the operator may set of the server.
    public struct Limits: Sendable {
        /// How long a connection may stay open without a request.
        public var idleTimeout: Duration
        /// How long the head of a request may take, from its first byte on.
        public var headTimeout: Duration
        /// How long a client may take nothing of an answer.
        public var stallTimeout: Duration
        /// The most bytes of a request's head.
        public var headerSize: Int
        /// The most connections.
        public var connections: Int
        /// The most connections of one client's address.
        public var connectionsPerAddress: Int

        /// Limits with every property given.
        public init(
            idleTimeout: Duration, headTimeout: Duration, stallTimeout: Duration, headerSize: Int, connections: Int,
            connectionsPerAddress: Int
        ) {
            self.idleTimeout = idleTimeout
            self.headTimeout = headTimeout
            self.stallTimeout = stallTimeout
            self.headerSize = headerSize
            self.connections = connections
            self.connectionsPerAddress = connectionsPerAddress
        }
    }

    /// From where clients come, beside what `Limits` says.
    public struct Exposure: Sendable {
        /// The origins of the web pages that may use the server from a browser; `*` for all.
        public var corsOrigins: [String]

        /// Under which URL clients reach it, for links; nil if it is what requests say.
        public var publicURL: String?
        /// Whether everybody is let in without a word: then web pages must be kept out.
        public var admitsEverybody: Bool
        /// The name or address it listens at; nil for a socket file.
        public var host: String?

        /// An exposure with every property given.
        public init(corsOrigins: [String], publicURL: String?, admitsEverybody: Bool, host: String?) {
            self.corsOrigins = corsOrigins
            self.publicURL = publicURL
            self.admitsEverybody = admitsEverybody
            self.host = host
        }
    }

    private let images: ImagesAPI
    private let locations: LocationRoutes
    private let operations: LocationOperationRoutes
    private let explanations: ExplainRoute
    private let backends: BackendsRoute
    private let direct: DirectRoute
    private let uploads: UploadListRoute
    private let trusted: TrustedNetworks
    private let authenticator: any Authenticator
    private let metrics: MetricsRegistry
    private let catalog: any CatalogStore
    private let limits: Limits
    private let exposure: Exposure
    private let connections: OpenConnections

    /// - Parameters:
    ///   - journal: who writes down what downloads find out.
    ///   - doubts: what is held against representations that the catalog does not know of yet.
    ///   - manifests: who reads the digests of chunks.
    ///   - activation: who lets new locations serve.
    ///   - lifecycle: who changes the status of locations.
    ///   - proofs: who reads locations in full.
    ///   - admission: who lets in those that come through Glance's API.
    ///   - uploads: where uploads go; nil if they are switched off.
    ///   - quota: what one project may have.
    ///   - authenticator: who finds out who a caller is.
    ///   - trusted: from where callers are trusted as well.
    ///   - directLifetime: how long the URL of a location is good that a trusted client is given.
    ///   - metrics: what `/metrics` shows.
    public init(
        catalog: any CatalogStore & ImageStore, relays: Relays, journal: RelayJournal, doubts: PendingDoubts,
        manifests: ManifestShelf, activation: LocationActivation, lifecycle: LocationLifecycle, proofs: ProofQueue,
        admission: any LocationAdmission, uploads: UploadTarget?, quota: ProjectQuota, authenticator: any Authenticator,
        trusted: TrustedNetworks, directLifetime: Duration, metrics: MetricsRegistry, limits: Limits, exposure: Exposure
    ) {
        let gate = ImageGate(images: catalog)
        let representations = RepresentationGate(catalog: catalog, gate: gate, relays: relays, doubts: doubts)
        let offers = DirectOffers(registry: relays.registry, lifetime: directLifetime)
        images = ImagesAPI(
            catalog: catalog, registry: relays.registry, admission: admission, lifecycle: lifecycle, uploads: uploads,
            quota: quota,
            downloads: DownloadRoute(
                representations: representations, relays: relays, journal: journal, doubts: doubts, manifests: manifests,
                offers: offers, metalinks: MetalinkRoute(manifests: manifests)))
        locations = LocationRoutes(
            catalog: catalog, gate: gate, attach: AttachGate(registry: relays.registry, images: catalog, uploads: uploads),
            activation: activation)
        self.uploads = UploadListRoute(uploads: catalog, target: uploads)
        operations = LocationOperationRoutes(catalog: catalog, lifecycle: lifecycle, proofs: proofs)
        explanations = ExplainRoute(catalog: catalog, relays: relays, doubts: doubts)
        backends = BackendsRoute(relays: relays)
        direct = DirectRoute(representations: representations, relays: relays, offers: offers)
        self.trusted = trusted
        self.authenticator = authenticator
        self.metrics = metrics
        self.catalog = catalog
        self.limits = limits
        self.exposure = exposure
        connections = OpenConnections(metrics: metrics)
    }

    /// The server as a service.
    /// - Parameters:
    ///   - place: where to listen.
    ///   - certificate: what is shown to clients, who must speak TLS then; nil for plain HTTP.
    ///   - onRunning: called with the port it listens at, once it does; 0 for a socket file.
    public func service(
        at place: ListenPlace, certificate: ServerCertificate?, logger: Logger,
        onRunning: @escaping @Sendable (Int) async -> Void
    ) -> some Service {
        let router = router()
        for row in RoutePolicy.rows(of: router.routes) { logger.debug("route", metadata: row.metadata) }
        let (address, socketFile): (BindAddress, SocketFile?) =
            switch place {
            case .address(let host, let port): (.hostname(host, port: port), nil)
            case .socketFile(let path, let mode): (.unixDomainSocket(path: path), SocketFile(path: path, mode: mode))
            }
        let application = Application(
            responder: VersionPrefix(next: router.buildResponder()),
            server: .clients(limits, certificate, connections, proxies: trusted),
            configuration: ApplicationConfiguration(address: address, serverName: "baton"),
            onServerRunning: { listener in
                let watched = listener.eventLoop.submit {
                    try listener.pipeline.syncOperations.addHandler(AcceptPause(logger: logger), position: .first)
                }
                try? await watched.get()
                do {
                    try socketFile?.opened()
                } catch {
                    // It stays as it was made, for this user alone.
                    logger.error("The mode of the socket file can't be set.", metadata: ["error": "\(error)"])
                }
                await onRunning(listener.localAddress?.port ?? 0)
            },
            logger: logger)
        return ListeningService(application: application, place: place, socketFile: socketFile)
    }

    private func router() -> Router<APIContext> {
        let router = Router(context: APIContext.self)
        router.add(middleware: CrossOriginMiddleware(origins: AllowedOrigins(exposure.corsOrigins)))
        router.add(middleware: RequestIDMiddleware())
        router.add(middleware: RequestTextMiddleware())
        router.add(middleware: ErrorTranslation())
        if let browsers { router.add(middleware: BrowserGuardMiddleware(browsers: browsers)) }
        router.add(middleware: ServerLinksMiddleware(links: ServerLinks(publicURL: exposure.publicURL, proxies: trusted)))
        router.add(middleware: VersionNegotiation())
        router.add(middleware: AuthenticationMiddleware(authenticator: authenticator, trusted: trusted))
        router.add(middleware: ContinueMiddleware())
        for method in [HTTPRequest.Method.get, .head] {
            router.on("/", method: method) { try VersionRoutes.multipleChoices($0, $1) }
        }
        router.resource(
            "versions", [.get: { try VersionRoutes.document(of: $1.serverAddress(of: $0)).response() }])
        router.resource("healthz", [.get: { _, _ in try JSONValue.object(["status": .string("ok")]).response() }])
        router.resource("readyz", [.get: ready])
        router.resource("metrics", [.get: { [metrics] _, _ in try await Self.page(of: metrics) }])
        images.add(to: router)
        let own = router.group("baton/v1")
        own.resource("images/:id/locations", [.get: locations.list, .post: locations.add])
        own.resource("images/:id/explain", [.get: explanations.explain])
        own.resource("backends", [.get: backends.list])
        own.resource("uploads", [.get: uploads.list])
        own.resource("images/:id/direct", [.get: direct.list])
        own.resource("locations/:id", [.get: operations.show, .patch: operations.edit])
        own.resource("locations/:id/history", [.get: operations.history])
        for (name, event) in LocationOperationRoutes.operations {
            own.resource(
                RouterPath("locations/:id/\(name)"),
                [.post: { [operations] in try await operations.run(event, $0, context: $1) }])
        }
        return router
    }

    /// What keeps web pages out; nil where callers say who they are.
    private var browsers: BrowserGuard? {
        guard exposure.admitsEverybody else { return nil }
        let publicOrigin = exposure.publicURL.map { url in
            let rest = url.drop { $0 != "/" }.dropFirst(2)
            return String(url.prefix { $0 != "/" } + "//" + rest.prefix { $0 != "/" }).lowercased()
        }
        let publicHost = publicOrigin.flatMap { HostField($0.drop { $0 != "/" }.dropFirst(2))?.host }
        return BrowserGuard(
            hosts: exposure.host.map { Set([$0.lowercased(), publicHost].compactMap(\.self)) },
            origins: AllowedOrigins(exposure.corsOrigins), publicOrigin: publicOrigin)
    }

    private func ready(_ request: Request, context: APIContext) async throws -> Response {
        do {
            _ = try await catalog.image(ImageID())
        } catch {
            // Whoever asks is nobody in particular: the log has the details.
            throw APIError(.serviceUnavailable, "The catalog does not answer.")
        }
        return try JSONValue.object(["status": .string("ok")]).response()
    }

    private static func page(of metrics: MetricsRegistry) async throws -> Response {
        Response(
            status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(string: await metrics.page())))
    }
}
