package import FoundationEssentials
package import ImageModel

/// The images of the catalog, with all their properties that the API shows. Every operation is one transaction; errors are
/// `CatalogError`s, and those of a caller's closure.
package protocol ImageStore: Sendable {
    /// Registers an image. Throws `imageExists`, `formerImage` for the id of a deleted image, and `overQuota` if the owning
    /// project has reached its quota.
    func createImage(_ image: Image, quota: ProjectQuota) async throws
    /// The image with that id; nil if there is none.
    func image(_ id: ImageID) async throws -> Image?
    /// An image's record as seen by a project; nil if there is no such image.
    func record(of image: ImageID, for project: String?) async throws -> ImageRecord?
    /// A page of the images that match a query, in its order. Throws `unknownMarker`.
    func page(_ query: ImageQuery) async throws -> CatalogPage<ImageRecord>
    /// The data that a download needs, as of one moment; nil if there is no such image.
    func resolve(_ image: ImageID, format: RequestedFormat) async throws -> Resolution?
    /// Reads an image, lets `change` edit it, and stores the result, in one transaction without concurrent writers. Nothing is
    /// stored if `change` throws. Throws `unknownImage`, the errors of registering a location, and those of `change`.
    func update(
        _ image: ImageID, for project: String?, at time: Date, actor: String,
        _ change: @escaping @Sendable (inout ImageEdit) throws -> Void
    ) async throws -> ImageRecord
    /// Deletes an image with its representations and locations. Throws `unknownImage`, `protectedImage`.
    func deleteImage(_ id: ImageID) async throws
    /// Whether an image, or a deleted one, has that id.
    func hasUsed(_ id: ImageID) async throws -> Bool

    /// The images with a running upload.
    func imagesBeingSaved() async throws -> [ImageID]
    /// Ends the uploads of these images that are still running.
    func recoverUploads(_ images: [ImageID], at time: Date) async throws
    /// Ends these uploads and all imports after a restart interrupted them.
    func recoverImagesAfterStart(at time: Date, cutOff: [ImageID]) async throws
}

extension ImageStore {
    /// Registers an image without a quota. Throws as `createImage(_:quota:)`.
    package func createImage(_ image: Image) async throws { try await createImage(image, quota: ProjectQuota()) }

    /// The images on the page of a query.
    package func records(_ query: ImageQuery) async throws -> [ImageRecord] { try await page(query).items }
}
