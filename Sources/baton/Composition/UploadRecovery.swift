import BackendKit
import BatonConfig
import FoundationEssentials
import GlanceAPI
import ImageCatalog
import ImageModel
import ImageUpload
import LocationLifecycle
import Logging
import NIOPosix
import RelayEngine
import ServiceLifecycle

/// Cleans up interrupted uploads. Uploads that another server still receives while it drains are cleaned up after that server
/// has ended.
struct UploadRecovery: Service, CustomStringConvertible {
    let catalog: any Catalog
    /// The target of uploads; nil if this server accepts none.
    let uploads: UploadTarget?
    /// The directories of all backends, since the other server may store uploads in another one than this server.
    let roots: [String]
    /// The images whose uploads another server receives.
    let foreign: [ImageID]
    let interval: Duration
    let logger: Logger

    var description: String { "recovery of uploads" }

    /// Cleans up the uploads that were interrupted before this server started.
    /// - Returns: a service that handles the remaining ones; nil if there are none.
    static func start(
        _ catalog: any Catalog, _ uploads: UploadTarget?, roots: [String], interval: Duration,
        logger: Logger
    ) async throws -> UploadRecovery? {
        let saving = try await catalog.imagesBeingSaved()
        let foreign = saving.filter { isUnderWay($0, in: roots) }
        let cutOff = saving.filter { !foreign.contains($0) }
        try await catalog.recoverImagesAfterStart(at: .now, cutOff: cutOff)
        try await uploads?.recover(cutOff, knownIn: catalog)
        guard !foreign.isEmpty else { return nil }
        logger.notice(
            "upload.foreign: Another server still receives uploads. They are left alone.",
            metadata: ["images": .array(foreign.map { "\($0)" })]
        )
        return UploadRecovery(
            catalog: catalog, uploads: uploads, roots: roots, foreign: foreign, interval: interval, logger: logger)
    }

    private static func isUnderWay(_ image: ImageID, in roots: [String]) -> Bool {
        roots.contains { UploadDirectory.isUnderWay(image.description, in: $0) }
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var waiting = foreign
            while !Task.isCancelled {
                try? await Task.sleep(for: interval)
                let over = waiting.filter { !Self.isUnderWay($0, in: roots) }
                guard !over.isEmpty, !Task.isCancelled else { continue }
                do {
                    // This has no effect on completed uploads.
                    try await catalog.recoverUploads(over, at: .now)
                    try await uploads?.recover(over, knownIn: catalog)
                    waiting.removeAll { over.contains($0) }
                } catch {
                    logger.warning(
                        "upload.recovery_failed: Interrupted uploads could not be cleaned up yet.",
                        metadata: ["error": "\(error)"])
                }
            }
        }
    }
}

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
            isInspectingFormat: uploads.isInspectingFormat,
            probe: probe)
    }
}

extension BatonConfiguration.Quotas {
    /// The quota of one project.
    var ofProject: ProjectQuota {
        ProjectQuota(images: images > 0 ? images : nil, bytes: bytes.count > 0 ? Int64(bytes.count) : nil)
    }
}
