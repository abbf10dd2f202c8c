package import Access
package import BackendKit
package import HTTPServing
import HTTPTypes
package import ImageCatalog
package import ImageModel
import ImageUpload

/// Decides whether a path may become a location of an image.
package struct AttachAuthorizer: Sendable {
    package let registry: BackendRegistry
    private let images: any ImageStore
    private let uploads: Reloadable<UploadTarget?>

    /// - Parameters:
    ///   - images: knows the images that uploads belong to.
    ///   - uploads: the target of uploads; nil while uploads are switched off.
    package init(registry: BackendRegistry, images: any ImageStore, uploads: Reloadable<UploadTarget?>) {
        self.registry = registry
        self.images = images
        self.uploads = uploads
    }

    /// Checks that a caller may attach a path to an image.
    /// - Throws: `APIError` 403 if the caller may not, or if the path belongs to an upload that is not the image's own.
    package func authorize(_ caller: Caller, toAttach path: String, in backend: BackendID, to image: Image) async throws {
        try registry.authorize(caller, toAttach: path, in: backend, to: image)
        guard let uploads = uploads.current, let base = registry[backend]?.base, base.scheme == "file" else { return }
        let root = "/" + base.segments.joined(separator: "/")
        switch try await uploads.directory.role(of: path, below: root) {
        case .elsewhere: return
        case .temporary:
            throw APIError(.forbidden, "The path belongs to an upload in progress: it can't be a location.")
        case .file(let name):
            guard let owner = ImageID(name), try await images.hasUsed(owner) else { return }
            // The uploaded file is deleted together with its own location. A location of another image or backend would lose
            // its file.
            guard owner == image.id, backend == uploads.backend.id else {
                throw APIError(
                    .forbidden, "The path belongs to the upload of the image \(owner): it can't be another image's location.")
            }
        }
    }
}

extension BackendRegistry {
    /// Checks the backend's rule for attaching. A backend's credentials reach more than its callers may see, so naming a path
    /// must not be enough to read it.
    /// - Throws: `APIError` 403 that says which role is required.
    func authorize(_ caller: Caller, toAttach path: String, in backend: BackendID, to image: Image) throws(APIError) {
        try authorizeAttaching(caller, to: image)
        if caller.isAdmin { return }
        let rule = self[backend]?.attach
        guard AttachRule.allows(caller, path: path, rule: rule) else {
            let others = rule.map { rule in
                let folder = rule.prefix.isEmpty ? "" : " below \(rule.prefix.joined(separator: "/"))/"
                return rule.role == .admin ? "" : ", or the role \(rule.role.rawValue) for locations\(folder)"
            }
            throw APIError(
                .forbidden, "Attaching this location of the backend \(backend) needs the role admin\(others ?? "").")
        }
    }

    /// Checks whether a caller may attach any location to an image. It needs no request body, so it runs before the body is
    /// read.
    /// - Throws: `APIError` 403.
    package func authorizeAttaching(_ caller: Caller, to image: Image) throws(APIError) {
        if caller.isAdmin { return }
        // A service acts on behalf of the image's owner.
        guard caller.has(.service) || (caller.project != nil && image.owner == caller.project) else {
            throw APIError(
                .forbidden, "The image \(image.id) belongs to another project: only an admin may attach locations to it.")
        }
        guard all.contains(where: { $0.attach.map { caller.has($0.role) } ?? false }) else {
            throw APIError(.forbidden, "Attaching a location needs the role admin.")
        }
    }
}
