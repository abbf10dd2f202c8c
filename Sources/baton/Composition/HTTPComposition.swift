import AdminAPI
import Downloads
import GlanceAPI
import HTTPServing
import HTTPTypes
import Hummingbird
import ImageCatalog
import LocationLifecycle
import Logging
import RelayEngine
import ServiceLifecycle
import Telemetry
import Verification

/// The HTTP server: the routes of all APIs, and the part that serves connections.
struct HTTPComposition: Sendable {
    private let images: ImagesAPI
    private let admin: AdminRoutes
    private let health: HealthRoutes
    private let http: HTTPServer

    /// - Parameters:
    ///   - recorder: records the results of downloads in the catalog.
    ///   - holds: integrity holds that are not in the catalog yet.
    ///   - deliveries: the downloads that have sent unverified bytes.
    ///   - manifests: supplies the digests of chunks.
    ///   - directLifetime: how long a signed direct URL is valid.
    ///   - limits: the limits of client connections; a connection keeps those in effect when it was accepted.
    ///   - exposure: how clients reach the server; each request uses the current value.
    ///   - drain: tells whether the server is about to stop.
    init(
        catalog: any Catalog, relays: Relays, recorder: DownloadRecorder, holds: PendingIntegrityHolds,
        deliveries: UnverifiedDeliveries, manifests: ManifestCache, registrar: LocationRegistrar,
        statusChanges: LocationStatusChanges, verifications: VerificationQueue, uploads: Reloadable<UploadTarget?>,
        quota: Reloadable<ProjectQuota>, access: Reloadable<CallerAccess>, directLifetime: Duration,
        metrics: MetricsRegistry, limits: Reloadable<ServerLimits>, exposure: Reloadable<ServerExposure>, drain: Drain
    ) {
        let offers = DirectOffers(relays: relays, lifetime: directLifetime)
        images = ImagesAPI(
            catalog: catalog, relays: relays, recorder: recorder, holds: holds, deliveries: deliveries,
            manifests: manifests, offers: offers, registrar: registrar, statusChanges: statusChanges, uploads: uploads,
            quota: quota, drain: drain)
        admin = AdminRoutes(
            catalog: catalog, relays: relays, holds: holds, deliveries: deliveries, manifests: manifests, offers: offers,
            registrar: registrar, statusChanges: statusChanges, verifications: verifications, uploads: uploads, drain: drain)
        health = HealthRoutes(catalog: catalog, metrics: metrics, drain: drain)
        http = HTTPServer(access: access, limits: limits, exposure: exposure, metrics: metrics, drain: drain)
    }

    /// Creates the service that accepts connections and answers requests.
    /// - Parameters:
    ///   - target: the address, socket file or descriptor to listen at.
    ///   - certificate: the certificate for TLS; nil for plain HTTP.
    ///   - onRunning: called with the port once the server listens; 0 for a socket file.
    func service(
        at target: ListenTarget, certificate: ServerCertificate?, logger: Logger,
        onRunning: @escaping @Sendable (Int) async -> Void
    ) -> some Service {
        let router = router()
        http.log(router.routes, to: logger)
        return http.service(
            answering: VersionPrefix(next: router.buildResponder()), at: target, certificate: certificate, logger: logger,
            onRunning: onRunning)
    }

    private func router() -> Router<APIContext> {
        let router = http.router(negotiation: VersionNegotiation())
        router.add(middleware: ErrorTranslation())
        for method in [HTTPRequest.Method.get, .head] {
            router.on("/", method: method) { try VersionRoutes.multipleChoices($0, $1) }
        }
        router.resource(
            "versions", [.get: { try VersionRoutes.document(of: $1.serverAddress(of: $0)).response() }])
        health.add(to: router)
        images.add(to: router)
        admin.add(to: router)
        return router
    }
}
