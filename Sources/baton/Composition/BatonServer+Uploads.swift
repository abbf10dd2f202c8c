import BackendKit
import BatonConfig
import GlanceAPI
import ImageCatalog
import ImageModel
import ImageUpload
import LocationLifecycle
import NIOPosix
import RelayEngine

extension BatonConfiguration {
    /// The directory for uploads; nil if the configuration names no backend for them.
    func uploadDirectory(_ backends: [ConfiguredBackend]) -> UploadDirectory? {
        guard let id = uploads.backend, let root = backends.first(where: { $0.id == id })?.root else { return nil }
        return UploadDirectory(
            root: root, limit: Int64(uploads.maximumSize.count), mode: server.fileMode, threads: .singleton)
    }

    /// The target of uploads; nil if the configuration names no backend for them.
    func uploadTarget(_ backends: [ConfiguredBackend], _ registry: BackendRegistry, _ probe: ObjectProbe) -> UploadTarget? {
        guard let id = uploads.backend, let backend = registry[id], let directory = uploadDirectory(backends) else {
            return nil
        }
        return UploadTarget(
            backend: backend, directory: directory, timeout: relay.policy.clientStallTimeout,
            inspectsFormat: uploads.inspectsFormat,
            probe: probe)
    }
}

extension BatonConfiguration.Quotas {
    /// The quota of one project.
    var ofProject: ProjectQuota {
        ProjectQuota(images: images > 0 ? images : nil, bytes: bytes.count > 0 ? Int64(bytes.count) : nil)
    }
}
