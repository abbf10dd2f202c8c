import BackendKit
import FoundationEssentials
package import HTTPServing
package import ImageCatalog
import ImageModel
import ImageUpload
package import Logging
import ServiceLifecycle

/// Deletes the files of uploads that no location has any more, once their delay is over.
package struct UploadExpiry: Service, CustomStringConvertible {
    private let targets: Reloadable<UploadTarget?>
    private let uploads: any UploadStore
    private let delay: Duration
    private let interval: Duration
    private let logger: Logger

    /// - Parameters:
    ///   - targets: where uploads go; nothing is deleted while they are switched off.
    ///   - delay: from the end of an image to that of its file.
    ///   - interval: between two rounds.
    package init(
        targets: Reloadable<UploadTarget?>, uploads: any UploadStore, delay: Duration, interval: Duration, logger: Logger
    ) {
        self.targets = targets
        self.uploads = uploads
        self.delay = delay
        self.interval = interval
        self.logger = logger
    }

    /// As the log of the services' life names it.
    package var description: String { "deletion of uploads" }

    /// Works until the service shuts down.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await round()
                try? await Task.sleep(for: interval)
            }
        }
    }

    /// Deletes what is due. What can't be deleted now is tried again in the next round.
    func round(at time: Date = .now) async {
        guard let target = targets.current else { return }
        do {
            for place in try await uploads.expireUploads(in: target.backend.id, at: time, delay: delay) {
                try await target.directory.remove(place.path)
                try await uploads.forgetUpload(place)
                logger.info(
                    "upload.deleted: The file of an upload was deleted because no image uses it.",
                    metadata: ["backend": "\(place.backend)", "path": "\(place.path)"])
            }
        } catch is CancellationError {
            return
        } catch {
            logger.warning("upload.deletion_failed: Files of uploads could not be deleted.", metadata: ["error": "\(error)"])
        }
    }
}
