package import Downloads
package import GlanceAPI
package import HTTPServing
package import Hummingbird
package import ImageCatalog
import ImageModel
package import LocationLifecycle
package import RelayEngine
package import Verification

/// Baton's own API: which path is answered by whom.
package struct AdminRoutes: Sendable {
    private let locations: LocationRoutes
    private let operations: LocationOperationRoutes
    private let explanations: ExplainRoute
    private let backends: BackendsRoute
    private let direct: DirectRoute
    private let uploads: UploadListRoute
    private let drain: Drain

    /// - Parameters:
    ///   - holds: integrity holds that the catalog does not know of yet.
    ///   - manifests: reads the digests of chunks.
    ///   - offers: finds the direct locations that a trusted client may be told of.
    ///   - registrar: makes places locations of images.
    ///   - verifications: reads locations in full.
    ///   - uploads: where uploads go; nil while they are switched off.
    ///   - drain: whether the server is about to stop.
    package init(
        catalog: any CatalogStore & ImageStore, relays: Relays, holds: PendingIntegrityHolds, manifests: ManifestCache,
        offers: DirectOffers, registrar: LocationRegistrar, statusChanges: LocationStatusChanges,
        verifications: VerificationQueue,
        uploads: Reloadable<UploadTarget?>, drain: Drain
    ) {
        locations = LocationRoutes(
            catalog: catalog, authorizer: ImageAuthorizer(images: catalog),
            attach: AttachAuthorizer(registry: relays.registry, images: catalog, uploads: uploads), registrar: registrar,
            relays: relays)
        operations = LocationOperationRoutes(catalog: catalog, statusChanges: statusChanges, verifications: verifications)
        explanations = ExplainRoute(
            catalog: catalog, relays: relays, holds: holds,
            planner: DownloadPlanner(relays: relays, holds: holds, manifests: manifests))
        backends = BackendsRoute(relays: relays)
        direct = DirectRoute(
            representations: RepresentationResolver(catalog: catalog, relays: relays, holds: holds), offers: offers)
        self.uploads = UploadListRoute(uploads: catalog, targets: uploads)
        self.drain = drain
    }

    /// Registers every path.
    package func add(to router: Router<APIContext>) {
        let api = router.group("baton/v1")
        api.resource("images/:id/locations", [.get: locations.list, .post: locations.add])
        api.resource("images/:id/explain", [.get: explanations.explain])
        api.resource("images/:id/direct", [.get: direct.list])
        api.resource("backends", [.get: backends.list])
        api.resource("uploads", [.get: uploads.list])
        api.resource("locations/:id", [.get: operations.show, .patch: operations.edit])
        api.resource("locations/:id/history", [.get: operations.history])
        for (name, event) in LocationOperationRoutes.operations {
            api.resource(
                RouterPath("locations/:id/\(name)"),
                [
                    .post: { [operations, drain] in
                        if event == .verify { try drain.refuseNewWork() }
                        return try await operations.run(event, $0, context: $1)
                    }
                ])
        }
    }
}
