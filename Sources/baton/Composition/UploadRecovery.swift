import FoundationEssentials
import ImageAPI
import ImageCatalog
import ImageModel
import ImageUpload
import Logging
import ServiceLifecycle

/// Ends the uploads that were cut off. Those that another server still takes in while it drains are left alone, and looked after once it
/// is gone.
struct UploadRecovery: Service, CustomStringConvertible {
    let catalog: any CatalogStore & ImageStore
    /// Nothing when this server takes no uploads itself.
    let uploads: UploadTarget?
    /// The directories of all backends: the other server may take uploads into another one than this server does.
    let roots: [String]
    /// What another server takes in.
    let foreign: [ImageID]
    let interval: Duration
    let logger: Logger

    var description: String { "recovery of uploads" }

    /// Ends what was cut off before this server started.
    /// - Returns: what looks after the rest; nil if there is none.
    static func start(
        _ catalog: any CatalogStore & ImageStore, _ uploads: UploadTarget?, roots: [String], interval: Duration,
        logger: Logger
    ) async throws -> UploadRecovery? {
        let saving = try await catalog.imagesBeingSaved()
        let foreign = saving.filter { isUnderWay($0, in: roots) }
        let cutOff = saving.filter { !foreign.contains($0) }
        try await catalog.recoverImagesAfterStart(at: .now, cutOff: cutOff)
        try await uploads?.recover(cutOff, catalog: catalog)
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
                    // Without effect on those that became whole.
                    try await catalog.recoverUploads(over, at: .now)
                    try await uploads?.recover(over, catalog: catalog)
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
