import BackendKit
import HTTPTypes
import Identity
import ImageCatalog
import ImageModel
import ImageUpload

/// Whether a place may become a location of an image.
struct AttachAuthorizer: Sendable {
    let registry: BackendRegistry
    let images: any ImageStore
    let uploads: Reloadable<UploadTarget?>

    /// - Throws: `APIError` 403: the caller may not attach it, or it belongs to uploads, which is nobody's to attach.
    func permit(_ caller: Caller, toAttach path: String, in backend: BackendID, to image: Image) async throws {
        try registry.permit(caller, toAttach: path, in: backend, to: image)
        guard let uploads = uploads.current, let base = registry[backend]?.base, base.scheme == "file" else { return }
        let root = "/" + base.segments.joined(separator: "/")
        switch try await uploads.directory.place(of: path, below: root) {
        case .elsewhere: return
        case .temporary:
            throw APIError(.forbidden, "The place belongs to uploads whose bytes are still coming in: it can't be a location.")
        case .file(let name):
            guard let owner = ImageID(name), try await images.hasUsed(owner) else { return }
            // Its own upload is deleted with the location in the uploads' backend; another backend's location would be left without.
            guard owner == image.id, backend == uploads.backend.id else {
                throw APIError(
                    .forbidden, "The place belongs to the upload of the image \(owner): it can't be a location of another one.")
            }
        }
    }
}
