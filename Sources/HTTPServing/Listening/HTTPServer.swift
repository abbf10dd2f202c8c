import HTTPTypes
package import Hummingbird
package import Logging
package import ServiceLifecycle
package import Telemetry

/// What every request passes on its way to a route and back, and what listens for clients.
package struct HTTPServer: Sendable {
    private let access: Reloadable<CallerAccess>
    private let limits: Reloadable<ServerLimits>
    private let exposure: Reloadable<ServerExposure>
    private let connections: OpenConnections
    private let drain: Drain

    /// - Parameters:
    ///   - access: how it is found out who a caller is; each request goes by what it is then.
    ///   - limits: what connections go by; each from its beginning.
    ///   - exposure: from where clients come; each request goes by what it is then.
    ///   - metrics: where it is shown how many connections there are.
    ///   - drain: whether the server is about to stop.
    package init(
        access: Reloadable<CallerAccess>, limits: Reloadable<ServerLimits>, exposure: Reloadable<ServerExposure>,
        metrics: MetricsRegistry, drain: Drain
    ) {
        self.access = access
        self.limits = limits
        self.exposure = exposure
        connections = OpenConnections(metrics: metrics)
        self.drain = drain
    }

    /// A router without routes.
    /// - Parameter negotiation: answers paths that belong to no API of the server, before a caller is asked who they are.
    package func router(negotiation: some RouterMiddleware<APIContext>) -> Router<APIContext> {
        let router = Router(context: APIContext.self)
        router.add(middleware: CrossOriginMiddleware(exposure: exposure))
        router.add(middleware: RequestIDMiddleware())
        router.add(middleware: RequestTextMiddleware())
        router.add(middleware: BrowserGuardMiddleware(exposure: exposure))
        router.add(middleware: ServerLinksMiddleware(exposure: exposure, access: access))
        router.add(middleware: negotiation)
        router.add(middleware: AuthenticationMiddleware(access: access))
        router.add(middleware: ContinueMiddleware())
        return router
    }

    /// Writes to the log what each route needs.
    package func log(_ routes: [Router<APIContext>.RouteDescription], to logger: Logger) {
        for row in RoutePolicy.rows(of: routes) { logger.debug("server.route", metadata: row.metadata) }
    }

    /// The server as a service.
    /// - Parameters:
    ///   - responder: answers the requests.
    ///   - place: where to listen.
    ///   - certificate: what is shown to clients, who must speak TLS then; nil for plain HTTP.
    ///   - onRunning: called with the port it listens at, once it does; 0 for a socket file.
    package func service<Responder: HTTPResponder>(
        answering responder: Responder, at place: ListenTarget, certificate: ServerCertificate?, logger: Logger,
        onRunning: @escaping @Sendable (Int) async -> Void
    ) -> some Service where Responder.Context == APIContext {
        ListeningService(
            responder: responder, place: place, limits: limits, certificate: certificate, connections: connections,
            access: access, drain: drain, logger: logger, onRunning: onRunning)
    }
}
