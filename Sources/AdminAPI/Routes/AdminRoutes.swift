import AdminContract
package import Downloads
package import GlanceAPI
package import HTTPServing
import HTTPTypes
package import Hummingbird
package import ImageCatalog
import ImageModel
package import LocationLifecycle
package import RelayEngine
package import Verification

/// The routes of Baton's own API, `/baton/v1`.
package struct AdminRoutes: Sendable {
    private let locations: LocationRoutes
    private let operations: LocationOperationRoutes
    private let explanations: ExplainRoute
    private let backends: BackendsRoute
    private let direct: DirectRoute
    private let uploads: UploadListRoute
    private let drain: Drain

    /// - Parameters:
    ///   - holds: the integrity holds that are not in the catalog yet.
    ///   - deliveries: the downloads that have sent unverified bytes.
    ///   - manifests: reads the digests of chunks.
    ///   - offers: finds the direct locations for trusted clients.
    ///   - registrar: adds locations to images.
    ///   - verifications: reads locations in full.
    ///   - uploads: the destination of uploads; nil while uploads are disabled.
    ///   - drain: whether the server is shutting down.
    package init(
        catalog: any Catalog, relays: Relays, holds: PendingIntegrityHolds,
        deliveries: UnverifiedDeliveries, manifests: ManifestCache, offers: DirectOffers, registrar: LocationRegistrar,
        statusChanges: LocationStatusChanges, verifications: VerificationQueue,
        uploads: Reloadable<UploadTarget?>, drain: Drain
    ) {
        locations = LocationRoutes(
            catalog: catalog, authorizer: ImageAuthorizer(images: catalog),
            attach: AttachAuthorizer(registry: relays.registry, images: catalog, uploads: uploads), registrar: registrar,
            health: relays.health)
        operations = LocationOperationRoutes(catalog: catalog, statusChanges: statusChanges, verifications: verifications)
        explanations = ExplainRoute(
            catalog: catalog, relays: relays, holds: holds,
            planner: DownloadPlanner(relays: relays, holds: holds, deliveries: deliveries, manifests: manifests))
        backends = BackendsRoute(registry: relays.registry, health: relays.health)
        direct = DirectRoute(
            representations: RepresentationResolver(images: catalog, relays: relays, holds: holds), offers: offers)
        self.uploads = UploadListRoute(uploads: catalog, targets: uploads)
        self.drain = drain
    }

    /// Registers every path.
    package func add(to router: Router<APIContext>) {
        func resource(_ path: String, _ handlers: [HTTPRequest.Method: RequestHandler]) {
            router.resource(RouterPath(path), handlers)
        }
        let id = AdminPath.idParameter
        resource(AdminPath.locations(of: id), [.get: locations.list, .post: locations.add])
        resource(AdminPath.explain(id), [.get: explanations.explain])
        resource(AdminPath.direct(id), [.get: direct.list])
        resource(AdminPath.backends, [.get: backends.list])
        resource(AdminPath.uploads, [.get: uploads.list])
        resource(AdminPath.location(id), [.get: operations.show, .patch: operations.edit])
        resource(AdminPath.history(of: id), [.get: operations.history])
        for name in OperationName.allCases {
            resource(
                AdminPath.operation(name, on: id),
                [
                    .post: { [operations, drain] in
                        if name == .verify { try drain.refuseNewWork() }
                        return try await operations.run(name, $0, context: $1)
                    }
                ])
        }
    }
}

extension JSONPage {
    /// The page as the response of a list.
    /// - Parameter next: the path of the next page; nil for the last page.
    func response<Item: ListedDocument>(of type: Item.Type, next: JSONValue?) throws -> Response {
        try response(Item.listName, next.map { [PageMember.next: $0] } ?? [:])
    }
}
