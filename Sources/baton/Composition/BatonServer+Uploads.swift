internal import BackendKit
internal import BatonConfig
internal import ImageAPI
internal import ImageCatalog
internal import ImageModel
internal import ImageUpload
internal import LocationUpkeep
internal import NIOPosix

extension BatonServer {
    /// Where uploads go; nil if the configuration names no backend for them.
    func uploadTarget(_ registry: BackendRegistry, _ inquiry: ObjectInquiry) -> UploadTarget? {
        guard let id = configuration.uploads.backend, let backend = registry[id],
            let root = backends.first(where: { $0.id == id })?.root
        else { return nil }
        let directory = UploadDirectory(
            root: root, limit: Int64(configuration.uploads.maximumSize.count), mode: configuration.server.fileMode,
            threads: .singleton)
        return UploadTarget(
            backend: backend, directory: directory, patience: configuration.relay.clientStallTimeout,
            inspectsFormat: configuration.uploads.inspectsFormat, inquiry: inquiry)
    }

    /// What deletes the files of uploads; nothing if there are no uploads.
    func uploadExpiry(_ target: UploadTarget?, _ catalog: any CatalogStore & ImageStore) -> [UploadExpiry] {
        guard let target else { return [] }
        return [
            UploadExpiry(
                target: target, uploads: catalog, delay: configuration.upkeep.deleteDelay, interval: configuration.upkeep.round,
                logger: logger)
        ]
    }
}

extension BatonConfiguration.Quotas {
    /// What one project may have.
    var ofProject: ProjectQuota {
        ProjectQuota(images: images > 0 ? images : nil, bytes: bytes.count > 0 ? Int64(bytes.count) : nil)
    }
}
