import HTTPTypes
import Hummingbird
import HummingbirdCore
import Identity
package import ImageCatalog
import ImageModel
package import LocationUpkeep
package import Logging
import NIOCore
package import RelayEngine
package import ServiceLifecycle
package import Telemetry

/// Everything that answers HTTP, put together.
package struct ImageServer: Sendable {
    /// What the operator may set of the server.
    package struct Limits: Sendable {
        /// How long a connection may stay open without a request.
        package var idleTimeout: Duration
        /// How long the head of a request may take, from its first byte on.
        package var headTimeout: Duration
        /// How long a client may take nothing of an answer.
        package var stallTimeout: Duration
        /// The most bytes of a request's head.
        package var headerSize: Int
        /// The most connections.
        package var connections: Int
        /// The most connections of one client's address.
        package var connectionsPerAddress: Int

        /// Limits with every property given.
        package init(
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
    package struct Exposure: Sendable {
        /// The web pages that may use the server from a browser.
        let origins: AllowedOrigins
        /// Under which URL clients reach it, for links; nil if it is what requests say.
        let publicURL: String?
        /// What keeps web pages out; nil where callers say who they are.
        let browsers: BrowserGuard?

        /// - Parameters:
        ///   - corsOrigins: the origins of the web pages that may use the server from a browser; `*` for all.
        ///   - publicURL: under which URL clients reach it, for links; nil if it is what requests say.
        ///   - admitsEverybody: whether everybody is let in without a word: then web pages must be kept out.
        ///   - host: the name or address it listens at; nil for a socket file.
        package init(corsOrigins: [String], publicURL: String?, admitsEverybody: Bool, host: String?) {
            origins = AllowedOrigins(corsOrigins)
            self.publicURL = publicURL
            browsers =
                admitsEverybody ? BrowserGuard(host: host, origins: AllowedOrigins(corsOrigins), publicURL: publicURL) : nil
        }
    }

    private let images: ImagesAPI
    private let locations: LocationRoutes
    private let operations: LocationOperationRoutes
    private let explanations: ExplainRoute
    private let backends: BackendsRoute
    private let direct: DirectRoute
    private let uploads: UploadListRoute
    private let access: Reloadable<CallerAccess>
    private let metrics: MetricsRegistry
    private let catalog: any CatalogStore
    private let limits: Reloadable<Limits>
    private let exposure: Reloadable<Exposure>
    private let connections: OpenConnections
    private let drain: Drain

    /// - Parameters:
    ///   - recorder: who writes down what downloads find out.
    ///   - holds: what is held against representations that the catalog does not know of yet.
    ///   - manifests: who reads the digests of chunks.
    ///   - activation: who lets new locations serve.
    ///   - lifecycle: who changes the status of locations.
    ///   - verifications: who reads locations in full.
    ///   - admission: who lets in those that come through Glance's API.
    ///   - uploads: where uploads go; nil if they are switched off.
    ///   - quota: what one project may have.
    ///   - access: how it is found out who a caller is.
    ///   - directLifetime: how long the URL of a location is good that a trusted client is given.
    ///   - metrics: what `/metrics` shows.
    ///   - limits: what connections go by; each from its beginning.
    ///   - exposure: from where clients come; each request goes by what it is then.
    ///   - drain: whether the server is about to stop.
    package init(
        catalog: any CatalogStore & ImageStore, relays: Relays, recorder: DownloadRecorder, holds: PendingIntegrityHolds,
        manifests: ManifestCache, activation: LocationActivation, lifecycle: LocationLifecycle,
        verifications: VerificationQueue,
        admission: any LocationAdmission, uploads: Reloadable<UploadTarget?>, quota: Reloadable<ProjectQuota>,
        access: Reloadable<CallerAccess>, directLifetime: Duration, metrics: MetricsRegistry, limits: Reloadable<Limits>,
        exposure: Reloadable<Exposure>, drain: Drain
    ) {
        let gate = ImageAuthorizer(images: catalog)
        let representations = RepresentationResolver(catalog: catalog, gate: gate, relays: relays, holds: holds)
        let offers = DirectOffers(registry: relays.registry, lifetime: directLifetime)
        images = ImagesAPI(
            catalog: catalog, registry: relays.registry, admission: admission, lifecycle: lifecycle, uploads: uploads,
            quota: quota,
            downloads: DownloadRoute(
                representations: representations, relays: relays, recorder: recorder, holds: holds, manifests: manifests,
                offers: offers, metalinks: MetalinkRoute(manifests: manifests)), drain: drain)
        locations = LocationRoutes(
            catalog: catalog, gate: gate,
            attach: AttachAuthorizer(registry: relays.registry, images: catalog, uploads: uploads),
            activation: activation, relays: relays)
        self.uploads = UploadListRoute(uploads: catalog, targets: uploads)
        operations = LocationOperationRoutes(catalog: catalog, lifecycle: lifecycle, verifications: verifications)
        explanations = ExplainRoute(catalog: catalog, relays: relays, holds: holds)
        backends = BackendsRoute(relays: relays)
        direct = DirectRoute(representations: representations, relays: relays, offers: offers)
        self.access = access
        self.metrics = metrics
        self.catalog = catalog
        self.limits = limits
        self.exposure = exposure
        connections = OpenConnections(metrics: metrics)
        self.drain = drain
    }

    /// The server as a service.
    /// - Parameters:
    ///   - place: where to listen.
    ///   - certificate: what is shown to clients, who must speak TLS then; nil for plain HTTP.
    ///   - onRunning: called with the port it listens at, once it does; 0 for a socket file.
    package func service(
        at place: ListenTarget, certificate: ServerCertificate?, logger: Logger,
        onRunning: @escaping @Sendable (Int) async -> Void
    ) -> some Service {
        let router = router()
        for row in RoutePolicy.rows(of: router.routes) { logger.debug("server.route", metadata: row.metadata) }
        return ListeningService(
            responder: VersionPrefix(next: router.buildResponder()), place: place, limits: limits, certificate: certificate,
            connections: connections, access: access, drain: drain, logger: logger, onRunning: onRunning)
    }

    private func router() -> Router<APIContext> {
        let router = Router(context: APIContext.self)
        router.add(middleware: CrossOriginMiddleware(exposure: exposure))
        router.add(middleware: RequestIDMiddleware())
        router.add(middleware: RequestTextMiddleware())
        router.add(middleware: ErrorTranslation())
        router.add(middleware: BrowserGuardMiddleware(exposure: exposure))
        router.add(middleware: ServerLinksMiddleware(exposure: exposure, access: access))
        router.add(middleware: VersionNegotiation())
        router.add(middleware: AuthenticationMiddleware(access: access))
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
                [
                    .post: { [operations, drain] in
                        if event == .verify { try drain.refuseNewWork() }
                        return try await operations.run(event, $0, context: $1)
                    }
                ])
        }
        return router
    }

    private func ready(_ request: Request, context: APIContext) async throws -> Response {
        guard !drain.hasBegun else { throw APIError(.serviceUnavailable, "The server is about to stop.") }
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
