internal import BackendKit
internal import BatonConfig
internal import ImageAPI
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
            root: root, limit: Int64(configuration.uploads.maximumSize.count), threads: .singleton)
        return UploadTarget(
            backend: backend, directory: directory, patience: configuration.relay.clientStallTimeout,
            inspectsFormat: configuration.uploads.inspectsFormat, inquiry: inquiry)
    }
}
