import FoundationEssentials

/// A file that an upload wrote, as the server lists it.
package struct UploadEntry: Codable, Sendable, Equatable {
    /// The backend that it lies in.
    package let backend: String
    /// Where in the backend.
    package let path: String
    /// The image that it was uploaded for.
    package let image: String
    /// The project that owned the image; nil if none did.
    package let owner: String?
    /// Its size in bytes.
    package let size: Int64
    /// `receiving`, `stored`, `removing`, or `unknown` when the server has no record of it.
    package let state: String
    /// Whether no image has it any more.
    package let isOrphan: Bool
    /// When the upload began; nil if that is unknown.
    package let createdAt: String?
    /// When the server will delete it; nil if it will not.
    package let expiresAt: String?

    private enum CodingKeys: String, CodingKey {
        case backend, path, image, owner, size, state
        case isOrphan = "orphaned"
        case createdAt = "created_at"
        case expiresAt = "expires_at"
    }
}

extension Endpoint {
    /// The files that uploads wrote, page by page.
    /// - Parameter onlyOrphans: only those that no image has any more.
    /// - Throws: `ClientError`.
    package func uploads(onlyOrphans: Bool) async throws -> [UploadEntry] {
        struct Page: Decodable {
            let uploads: [UploadEntry]
            let next: String?
        }
        var next: String? = "/baton/v1/uploads?limit=1000" + (onlyOrphans ? "&orphans=true" : "")
        var uploads: [UploadEntry] = []
        while let path = next {
            let page = try await send("GET", path).decoded(as: Page.self)
            uploads += page.uploads
            next = page.uploads.isEmpty ? nil : page.next
        }
        return uploads
    }
}
