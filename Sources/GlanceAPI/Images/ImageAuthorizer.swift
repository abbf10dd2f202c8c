package import Access
import FoundationEssentials
package import HTTPServing
import HTTPTypes
import Hummingbird
package import ImageCatalog
package import ImageModel

/// The one way from a request to an image: what the caller may not see is not there, what they may not do is forbidden.
package struct ImageAuthorizer: Sendable {
    private let images: any ImageStore

    /// - Parameter images: where the images are.
    package init(images: any ImageStore) { self.images = images }

    /// An image, as far as the caller may know of it.
    package struct Admitted {
        package let record: ImageRecord
        package let access: ImageAccess

        package var id: ImageID { record.image.id }
    }

    /// The image that the path names.
    package func image(_ context: APIContext) async throws -> Admitted {
        let id = try context.imageID()
        guard let record = try await images.record(of: id, for: context.caller.project) else {
            throw APIError.notFound(image: id.description)
        }
        let access = ImageAccess(context.caller, to: record.image, membership: record.membership)
        guard access.maySee else { throw APIError.notFound(image: id.description) }
        return Admitted(record: record, access: access)
    }

    /// The image that the path names, to change it.
    func imageToModify(_ context: APIContext) async throws -> Admitted {
        let admitted = try await image(context)
        guard admitted.access.mayModify else { throw APIError.forbidden("change the image \(admitted.id)") }
        return admitted
    }

    /// Changes the image that the path names. The right to it is looked at again inside the transaction, in which another
    /// request may have given the image away.
    @discardableResult
    func update(
        _ context: APIContext, _ change: @escaping @Sendable (inout ImageEdit) throws -> Void
    ) async throws -> ImageRecord {
        let caller = context.caller
        let admitted = try await imageToModify(context)
        return try await images.update(admitted.id, for: caller.project, at: .now, actor: caller.user) { edit in
            guard ImageAccess(caller, to: edit.image, membership: edit.membership).mayModify else {
                throw APIError.forbidden("change the image \(edit.image.id)")
            }
            try change(&edit)
        }
    }
}

extension APIError {
    /// What a caller sees and may not do.
    static func forbidden(_ deed: String) -> APIError {
        APIError(.forbidden, "You may not \(deed): ask its owner or an administrator.")
    }

    static func conflict(_ message: String) -> APIError { APIError(.conflict, message) }
}
