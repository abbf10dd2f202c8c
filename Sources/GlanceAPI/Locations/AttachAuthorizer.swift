package import Access
package import BackendKit
package import HTTPServing
import HTTPTypes
package import ImageCatalog
package import ImageModel
import ImageUpload

/// Whether a place may become a location of an image.
package struct AttachAuthorizer: Sendable {
    package let registry: BackendRegistry
    private let images: any ImageStore
    private let uploads: Reloadable<UploadTarget?>

    /// - Parameters:
    ///   - images: knows which images uploads belong to.
    ///   - uploads: where uploads go; nil while they are switched off.
    package init(registry: BackendRegistry, images: any ImageStore, uploads: Reloadable<UploadTarget?>) {
        self.registry = registry
        self.images = images
        self.uploads = uploads
    }

    /// - Throws: `APIError` 403: the caller may not attach it, or it belongs to uploads, which is nobody's to attach.
    package func permit(_ caller: Caller, toAttach path: String, in backend: BackendID, to image: Image) async throws {
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

extension BackendRegistry {
    /// Whether a caller may attach a place to an image. A backend's credentials reach more than its callers may see: naming a
    /// place must not be enough to read it.
    /// - Throws: `APIError` 403 when they may not, saying who may.
    func permit(_ caller: Caller, toAttach path: String, in backend: BackendID, to image: Image) throws(APIError) {
        try permitAttaching(caller, to: image)
        if caller.isAdmin { return }
        let rule = self[backend]?.attach
        guard AttachRule.permits(caller, path: path, rule: rule) else {
            let others = rule.map { rule in
                let place = rule.prefix.isEmpty ? "" : " below \(rule.prefix.joined(separator: "/"))/"
                return rule.role == .admin ? "" : ", or the role \(rule.role.rawValue) for locations\(place)"
            }
            throw APIError(
                .forbidden, "Attaching this location of the backend \(backend) needs the role admin\(others ?? "").")
        }
    }

    /// Whether a caller may attach any place to an image: as much as can be told before a body is read, which costs more than to ask.
    /// - Throws: `APIError` 403 when they may not.
    package func permitAttaching(_ caller: Caller, to image: Image) throws(APIError) {
        if caller.isAdmin { return }
        // A service acts for the image's owner.
        guard caller.has(.service) || (caller.project != nil && image.owner == caller.project) else {
            throw APIError(
                .forbidden, "The image \(image.id) belongs to another project: only an admin may attach locations to it.")
        }
        guard all.contains(where: { $0.attach.map { caller.has($0.role) } ?? false }) else {
            throw APIError(.forbidden, "Attaching a location needs the role admin.")
        }
    }
}
