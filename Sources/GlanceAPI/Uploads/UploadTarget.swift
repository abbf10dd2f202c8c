package import BackendKit
import HTTPServing
import HTTPTypes
package import ImageCatalog
package import ImageModel
package import ImageUpload
package import LocationLifecycle

/// The target of uploads: one backend whose files this process writes itself.
package struct UploadTarget: Sendable {
    /// The backend that serves the files.
    package let backend: Backend
    /// The directory that the backend reads.
    package let directory: UploadDirectory
    /// How long a client may send nothing.
    let timeout: Duration
    /// Whether the bytes must have the image's format.
    let isInspectingFormat: Bool
    private let probe: ObjectProbe

    /// - Parameters:
    ///   - directory: the directory that the backend reads.
    ///   - timeout: how long a client may send nothing.
    ///   - isInspectingFormat: whether to refuse bytes of another format than the image's, and bytes that refer to other files.
    ///   - probe: reads the head of a finished upload from the backend.
    package init(
        backend: Backend, directory: UploadDirectory, timeout: Duration, isInspectingFormat: Bool, probe: ObjectProbe
    ) {
        self.backend = backend
        self.directory = directory
        self.timeout = timeout
        self.isInspectingFormat = isInspectingFormat
        self.probe = probe
    }

    /// Removes the files of uploads that a stop of the service interrupted.
    /// - Parameters:
    ///   - images: the images that were being uploaded.
    ///   - locations: the locations whose files are kept.
    /// - Throws: `UploadError`, `CatalogError`.
    package func recover(_ images: [ImageID], knownIn locations: any LocationStore) async throws {
        try directory.prepare()
        for id in images {
            let isKnown = try await locations.locations(of: id).contains {
                $0.backend == backend.id && $0.path == id.description
            }
            if !isKnown { try await directory.remove(id.description) }
        }
    }

    /// The validator of a finished upload, as the backend reports it.
    /// - Throws: `APIError` 500 if the backend can't read the file or reports another size.
    func validator(of file: UploadedFile) async throws -> Validator? {
        switch await probe.head(of: file.name, in: backend.id, isEmpty: file.size == 0) {
        case .success(let head) where head.total == file.size: return head.validator
        case .success:
            throw APIError(.internalServerError, "The uploaded file changed while it was checked: upload the image again.")
        case .failure(let failure):
            throw APIError(
                .internalServerError, "The uploaded file can't be read (\(failure.description)): check the backend.")
        }
    }
}
