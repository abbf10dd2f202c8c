import BackendKit
import FoundationEssentials
package import HTTPServing
package import ImageCatalog
import ImageModel
import ImageUpload
package import Logging
import ServiceLifecycle

/// Deletes uploaded files that no location uses any more, after a delay.
package struct UploadExpiry: Service, CustomStringConvertible {
    private let targets: Reloadable<UploadTarget?>
    private let uploads: any UploadStore
    private let delay: Duration
    private let interval: Duration
    private let logger: Logger

    /// - Parameters:
    ///   - targets: the target of uploads; nothing is deleted while uploads are switched off.
    ///   - delay: how long a file is kept after its image was deleted.
    ///   - interval: the time between two passes.
    package init(
        targets: Reloadable<UploadTarget?>, uploads: any UploadStore, delay: Duration, interval: Duration, logger: Logger
    ) {
        self.targets = targets
        self.uploads = uploads
        self.delay = delay
        self.interval = interval
        self.logger = logger
    }

    /// The name in log lines about services.
    package var description: String { "deletion of uploads" }

    /// Runs passes until the service shuts down.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await round()
                try? await Task.sleep(for: interval)
            }
        }
    }

    /// Runs one pass. A file that can't be deleted is retried in the next pass.
    func round(at time: Date = .now) async {
        guard let target = targets.current else { return }
        do {
            for upload in try await uploads.expireUploads(in: target.backend.id, at: time, delay: delay) {
                try await target.directory.remove(upload.path)
                try await uploads.forgetUpload(upload)
                logger.info(
                    "upload.deleted: The file of an upload was deleted because no image uses it.",
                    metadata: ["backend": "\(upload.backend)", "path": "\(upload.path)"])
            }
        } catch is CancellationError {
            return
        } catch {
            logger.warning("upload.deletion_failed: Files of uploads could not be deleted.", metadata: ["error": "\(error)"])
        }
    }
}
