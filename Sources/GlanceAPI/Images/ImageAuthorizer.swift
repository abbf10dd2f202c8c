package import Access
import FoundationEssentials
package import HTTPServing
import HTTPTypes
import Hummingbird
package import ImageCatalog
package import ImageModel

/// An image with the caller's rights on it.
package struct AuthorizedImage {
    package let record: ImageRecord
    package let access: ImageAccess

    package var id: ImageID { record.image.id }
}

/// Resolves a request to an image. An image that the caller may not see does not exist; an operation that the caller may not
/// perform is forbidden.
package struct ImageAuthorizer: Sendable {
    private let images: any ImageStore

    package init(images: any ImageStore) { self.images = images }

    /// The image that the path names.
    /// - Throws: `APIError` 404 if it does not exist for the caller.
    package func image(_ context: APIContext) async throws -> AuthorizedImage {
        let id = try context.imageID()
        guard let record = try await images.record(of: id, for: context.caller.project) else {
            throw APIError.notFound(image: id.description)
        }
        let access = ImageAccess(context.caller, to: record.image, membership: record.membership)
        guard access.maySee else { throw APIError.notFound(image: id.description) }
        return AuthorizedImage(record: record, access: access)
    }

    /// The image that the path names, for a change.
    /// - Throws: `APIError`: 404 if it does not exist for the caller, 403 if the caller may not change it.
    func imageToModify(_ context: APIContext) async throws -> AuthorizedImage {
        let authorized = try await image(context)
        guard authorized.access.mayModify else { throw APIError.forbidden("change the image \(authorized.id)") }
        return authorized
    }

    /// Changes the image that the path names. The right is checked again inside the transaction, because another request may
    /// have changed the owner.
    @discardableResult
    func update(
        _ context: APIContext, _ change: @escaping @Sendable (inout ImageEdit) throws -> Void
    ) async throws -> ImageRecord {
        let caller = context.caller
        let authorized = try await imageToModify(context)
        return try await images.update(authorized.id, for: caller.project, at: .now, actor: caller.user) { edit in
            guard ImageAccess(caller, to: edit.image, membership: edit.membership).mayModify else {
                throw APIError.forbidden("change the image \(edit.image.id)")
            }
            try change(&edit)
        }
    }
}

extension APIError {
    /// The error for an operation that the caller may not perform on a visible image.
    /// - Parameter deed: the operation, in words that follow "You may not".
    static func forbidden(_ deed: String) -> APIError {
        APIError(.forbidden, "You may not \(deed): ask its owner or an administrator.")
    }

    static func conflict(_ message: String) -> APIError { APIError(.conflict, message) }
}
