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

/// Everything that answers HTTP, put together.
public struct ImageServer: Sendable {
    /// What the operator may set of the server.
    public struct Limits: Sendable {
        /// How long a connection may stay open without a request.
        public var idleTimeout: Duration
        /// The most bytes of a request's head.
        public var headerSize: Int

        /// Limits with every property given.
        public init(idleTimeout: Duration, headerSize: Int) {
            self.idleTimeout = idleTimeout
            self.headerSize = headerSize
        }
    }

    private let downloads: DownloadRoute
    private let images: ImageRoutes
    private let locations: LocationRoutes
    private let authenticator: any Authenticator
    private let limits: Limits

    /// - Parameters:
    ///   - journal: who writes down what downloads find out.
    ///   - activation: who lets new locations serve.
    ///   - authenticator: who finds out who a caller is.
    public init(
        catalog: any CatalogStore, relays: Relays, journal: RelayJournal, activation: LocationActivation,
        authenticator: any Authenticator, limits: Limits
    ) {
        downloads = DownloadRoute(catalog: catalog, relays: relays, journal: journal)
        images = ImageRoutes(catalog: catalog)
        locations = LocationRoutes(catalog: catalog, registry: relays.registry, activation: activation)
        self.authenticator = authenticator
        self.limits = limits
    }

    /// The server as a service.
    /// - Parameters:
    ///   - host: the name or address to listen at.
    ///   - port: 0 takes any free port.
    ///   - onRunning: called with the port it listens at, once it does.
    public func service(
        host: String, port: Int, logger: Logger, onRunning: @escaping @Sendable (Int) async -> Void
    ) -> some Service {
        let router = router()
        for row in RoutePolicy.rows(of: router.routes) { logger.debug("route", metadata: row.metadata) }
        let application = Application(
            responder: router.buildResponder(),
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [ClientWatch()],
                    idleTimeout: .init(limits.idleTimeout),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: limits.headerSize, maxHeaderListSize: limits.headerSize))),
            configuration: ApplicationConfiguration(address: .hostname(host, port: port), serverName: "baton"),
            onServerRunning: { await onRunning($0.localAddress?.port ?? port) },
            logger: logger)
        return ListeningService(application: application, host: host, port: port)
    }

    private func router() -> Router<APIContext> {
        let router = Router(context: APIContext.self)
        router.add(middleware: RequestIDMiddleware())
        router.add(middleware: ErrorTranslation())
        router.add(middleware: VersionNegotiation())
        router.add(middleware: AuthenticationMiddleware(authenticator: authenticator))
        router.get("/") { request, _ in try VersionRoutes.multipleChoices(request) }
        router.get("versions") { request, _ in try VersionRoutes.document(for: request).response() }
        router.get("healthz") { _, _ in try JSONValue.object(["status": .string("ok")]).response() }
        for version in ["v2"] + VersionRoutes.minorVersions.map({ "v2.\($0)" }) {
            let group = router.group(RouterPath(version)).group("images")
            group.get(use: images.list)
            group.post(use: images.create)
            group.get(":id", use: images.show)
            group.delete(":id", use: images.delete)
            group.get(":id/file", use: downloads.get)
            group.head(":id/file", use: downloads.head)
        }
        let own = router.group("baton/v1/images/:id/locations")
        own.get(use: locations.list)
        own.post(use: locations.add)
        return router
    }
}
