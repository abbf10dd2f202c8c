import HTTPTypes
package import Hummingbird
package import Logging
package import ServiceLifecycle
package import Telemetry

/// The middleware that every request passes, and the listener for clients.
package struct HTTPServer: Sendable {
    private let access: Reloadable<CallerAccess>
    private let limits: Reloadable<ServerLimits>
    private let exposure: Reloadable<ServerExposure>
    private let connections: OpenConnections
    private let drain: Drain

    /// - Parameters:
    ///   - access: how callers are identified, read for each request.
    ///   - limits: the limits of connections, read when each one opens.
    ///   - exposure: cross-origin access and the public URL, read for each request.
    ///   - metrics: receives the number of connections.
    ///   - drain: whether the server is shutting down.
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

    /// Creates a router without routes.
    /// - Parameter negotiation: answers paths outside the server's APIs, before authentication.
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

    /// Logs the requirement of each route.
    package func log(_ routes: [Router<APIContext>.RouteDescription], to logger: Logger) {
        for row in RoutePolicy.rows(of: routes) { logger.debug("server.route", metadata: row.metadata) }
    }

    /// The server as a service.
    /// - Parameters:
    ///   - responder: answers the requests.
    ///   - target: where to listen.
    ///   - certificate: the certificate of a TLS server; nil for plain HTTP.
    ///   - onRunning: called once the server listens, with its port; 0 for a socket file.
    package func service<Responder: HTTPResponder>(
        answering responder: Responder, at target: ListenTarget, certificate: ServerCertificate?, logger: Logger,
        onRunning: @escaping @Sendable (Int) async -> Void
    ) -> some Service where Responder.Context == APIContext {
        ListeningService(
            responder: responder, target: target, limits: limits, certificate: certificate, connections: connections,
            access: access, drain: drain, logger: logger, onRunning: onRunning)
    }
}
