package import FoundationEssentials
package import ImageModel

/// The records of the files that uploads wrote. Every operation is one transaction; errors are `CatalogError`s.
package protocol UploadStore: Sendable {
    /// The uploads of a backend, ordered by path.
    func uploads(in backend: BackendID, _ query: UploadQuery) async throws -> [UploadRecord]
    /// The paths of a backend that neither an upload nor a location uses.
    func unknownPaths(among paths: [String], in backend: BackendID) async throws -> [String]
    /// Counts the uploads and their bytes.
    func uploadStatistics() async throws -> UploadStatistics
    /// The bytes of uploads that count against a project's quota.
    func uploadedBytes(of owner: String?) async throws -> Int64
    /// Sets the expiry of uploads that no location uses, and clears that of others. Expired uploads are marked `removing`.
    /// - Parameter delay: the time from the end of an image to that of its upload. An upload whose location waited for its
    ///   deletion expires at once.
    /// - Returns: the uploads whose files are to be deleted now.
    func expireUploads(in backend: BackendID, at time: Date, delay: Duration) async throws -> [UploadPath]
    /// Deletes the record of an upload whose file was deleted.
    func forgetUpload(_ upload: UploadPath) async throws
}
