import BackendKit
package import Downloads
package import HTTPServing
package import Hummingbird
package import ImageCatalog
package import LocationLifecycle
package import RelayEngine

/// Glance's Images API: maps its paths to handlers.
package struct ImagesAPI: Sendable {
    private let downloads: DownloadRoute
    private let images: ImageRoutes
    private let patches: ImagePatchRoute
    private let uploads: UploadRoute
    private let imports: LocationImportRoutes
    private let members: MemberRoutes
    private let tasks: TaskRoutes

    /// - Parameters:
    ///   - recorder: records what downloads find out about locations.
    ///   - holds: integrity holds that the catalog has not recorded yet.
    ///   - deliveries: the downloads that have sent unverified bytes.
    ///   - manifests: the cache of manifests.
    ///   - offers: finds the direct locations for trusted clients.
    ///   - registrar: registers and activates locations.
    ///   - statusChanges: changes the status of locations.
    ///   - uploads: the target of uploads; nil while uploads are switched off.
    ///   - quota: the limits of each project.
    ///   - drain: whether the server is shutting down.
    package init(
        catalog: any Catalog, relays: Relays, recorder: DownloadRecorder, holds: PendingIntegrityHolds,
        deliveries: UnverifiedDeliveries, manifests: ManifestCache, offers: DirectOffers, registrar: LocationRegistrar,
        statusChanges: LocationStatusChanges,
        uploads targets: Reloadable<UploadTarget?>, quota: Reloadable<ProjectQuota>, drain: Drain
    ) {
        downloads = DownloadRoute(
            representations: RepresentationResolver(images: catalog, relays: relays, holds: holds), relays: relays,
            recorder: recorder, deliveries: deliveries,
            planner: DownloadPlanner(relays: relays, holds: holds, deliveries: deliveries, manifests: manifests),
            offers: offers,
            metalinks: MetalinkRoute(manifests: manifests))
        images = ImageRoutes(images: catalog, quota: quota)
        let attach = AttachAuthorizer(registry: relays.registry, images: catalog, uploads: targets)
        patches = ImagePatchRoute(images: catalog, attach: attach, registrar: registrar, statusChanges: statusChanges)
        uploads = UploadRoute(catalog: catalog, registrar: registrar, targets: targets, quotas: quota)
        imports = LocationImportRoutes(images: catalog, attach: attach, registrar: registrar, drain: drain)
        members = MemberRoutes(catalog: catalog)
        tasks = TaskRoutes(catalog: catalog)
    }

    /// Registers every path. `VersionPrefix` has removed the minor version before.
    package func add(to router: Router<APIContext>) {
        let api = router.group("v2")
        api.resource("images", [.get: images.list, .post: images.create])
        api.resource("images/:id", [.get: images.show, .patch: patches.patch, .delete: images.delete])
        api.resource("images/:id/file", [.get: downloads.get, .head: downloads.head, .put: uploads.put])
        api.resource("images/:id/actions/deactivate", [.post: images.deactivate])
        api.resource("images/:id/actions/reactivate", [.post: images.reactivate])
        api.resource("images/:id/tags/:tag", [.put: images.addTag, .delete: images.removeTag])
        api.resource("images/:id/members", [.get: members.list, .post: members.add])
        api.resource(
            "images/:id/members/:member", [.get: members.show, .put: members.update, .delete: members.remove])
        api.resource("images/:id/locations", [.get: imports.list, .post: imports.add])
        api.resource("images/:id/tasks", [.get: tasks.ofImage])
        api.resource("tasks", [.get: tasks.list])
        api.resource("tasks/:task", [.get: tasks.show])
        api.resource("schemas/:name", [.get: DiscoveryRoutes.schema])
        api.resource("info/import", [.get: DiscoveryRoutes.importMethods])
        api.resource("info/stores", [.get: DiscoveryRoutes.stores])
        api.resource("info/stores/detail", [.get: DiscoveryRoutes.stores])
    }
}
