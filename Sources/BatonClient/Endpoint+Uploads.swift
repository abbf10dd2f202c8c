import FoundationEssentials

/// A file written by an upload, as listed by the server.
package struct UploadEntry: Codable, Sendable, Equatable {
    /// The id of the backend that holds it.
    package let backend: String
    /// The path in the backend.
    package let path: String
    /// The id of the image that it was uploaded for.
    package let image: String
    /// The project that owned the image; nil if none did.
    package let owner: String?
    /// The size in bytes.
    package let size: Int64
    /// `receiving`, `stored`, `removing`, or `unknown` if the server has no record of it.
    package let state: String
    /// Whether no image refers to it.
    package let isOrphan: Bool
    /// The time at which the upload began; nil if unknown.
    package let createdAt: String?
    /// The time at which the server will delete it; nil if it will not.
    package let expiresAt: String?

    private enum CodingKeys: String, CodingKey {
        case backend, path, image, owner, size, state
        case isOrphan = "orphaned"
        case createdAt = "created_at"
        case expiresAt = "expires_at"
    }
}

extension Endpoint {
    /// Fetches the list of files written by uploads, page by page.
    /// - Parameter onlyOrphans: only files that no image refers to.
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
