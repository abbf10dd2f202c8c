package import BackendKit
import HTTPServing
import HTTPTypes
package import ImageCatalog
package import ImageModel
package import ImageUpload
package import LocationLifecycle

/// Where uploads go: one backend whose files this process writes itself.
package struct UploadTarget: Sendable {
    /// The backend that will serve them.
    package let backend: Backend
    /// The directory behind it.
    package let directory: UploadDirectory
    /// How long a client may send nothing.
    let timeout: Duration
    /// Whether the bytes must be of the image's format.
    let inspectsFormat: Bool
    private let probe: ObjectProbe

    /// - Parameters:
    ///   - directory: the one that the backend reads.
    ///   - timeout: how long a client may send nothing.
    ///   - inspectsFormat: whether bytes of another format than the image's, and such that refer to other files, are refused.
    ///   - probe: who asks the backend what it sees of a finished upload.
    package init(
        backend: Backend, directory: UploadDirectory, timeout: Duration, inspectsFormat: Bool, probe: ObjectProbe
    ) {
        self.backend = backend
        self.directory = directory
        self.timeout = timeout
        self.inspectsFormat = inspectsFormat
        self.probe = probe
    }

    /// Clears away what uploads left that were cut off with the service.
    /// - Parameter images: those that were being uploaded.
    /// - Throws: `UploadError`, `CatalogError`.
    package func recover(_ images: [ImageID], catalog: any CatalogStore) async throws {
        try directory.prepare()
        for id in images {
            let isKnown = try await catalog.locations(of: id).contains {
                $0.backend == backend.id && $0.path == id.description
            }
            if !isKnown { try await directory.remove(id.description) }
        }
    }

    /// What pins a finished upload, as the backend sees it.
    /// - Throws: `APIError` when the backend sees something else than what was uploaded.
    func validator(of file: UploadedFile) async throws -> Validator? {
        switch await probe.head(of: file.name, in: backend.id, isEmpty: file.size == 0) {
        case .success(let head) where head.total == file.size: return head.validator
        case .success:
            throw APIError(.internalServerError, "The uploaded file changed while it was looked at; it is not kept.")
        case .failure(let failure):
            throw APIError(
                .internalServerError, "The uploaded file can't be read (\(failure.description)); it is not kept.")
        }
    }
}
