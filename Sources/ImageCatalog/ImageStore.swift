package import FoundationEssentials
package import ImageModel

/// The part of the catalog behind Glance's API: images with all their shown properties, members, tasks. Every operation
/// is one transaction; errors are `CatalogError`s, and those of a caller's closure.
package protocol ImageStore: UploadStore {
    /// An image's record as seen by a project; nil if there is no such image.
    func record(of image: ImageID, for project: String?) async throws -> ImageRecord?
    /// A page of the images that match a query, in its order. Throws `unknownMarker`.
    func page(_ query: ImageQuery) async throws -> CatalogPage<ImageRecord>
    /// Reads an image, lets `change` edit it, and stores the result, in one transaction without concurrent writers. Nothing is
    /// stored if `change` throws. Throws `unknownImage`, the errors of registering a location, and those of `change`.
    func update(
        _ image: ImageID, for project: String?, at time: Date, actor: String,
        _ change: @escaping @Sendable (inout ImageEdit) throws -> Void
    ) async throws -> ImageRecord
    /// Deletes locations whose registration failed and that never served.
    func forget(_ locations: [LocationID]) async throws
    /// The images with a running upload.
    func imagesBeingSaved() async throws -> [ImageID]
    /// Ends the uploads of these images that are still running.
    func recoverUploads(_ images: [ImageID], at time: Date) async throws
    /// Ends these uploads and all imports after a restart interrupted them.
    func recoverImagesAfterStart(at time: Date, cutOff: [ImageID]) async throws

    /// The projects that an image is shared with, in the order of sharing.
    func members(of image: ImageID) async throws -> [Member]
    /// Shares an image with a project. Throws `memberExists`, `unknownImage`.
    func add(_ member: Member) async throws
    /// Stores a project's response to a shared image. Throws `unknownMember`.
    func setStatus(_ status: Member.Status, of project: String, in image: ImageID, at time: Date) async throws -> Member
    /// Ends the sharing of an image with a project. Throws `unknownMember`.
    func removeMember(_ project: String, of image: ImageID) async throws

    /// Stores a new task.
    func add(_ task: ImageTask) async throws
    /// Updates the status of a task.
    func setStatus(_ status: ImageTask.Status, message: String, ofTask id: UUID, at time: Date) async throws
    /// The task with that id; nil if there is none.
    func task(_ id: UUID) async throws -> ImageTask?
    /// A page of the tasks that match a query, the newest first.
    func page(_ query: TaskQuery) async throws -> CatalogPage<ImageTask>
}

extension ImageStore {
    /// The images on the page of a query.
    package func records(_ query: ImageQuery) async throws -> [ImageRecord] { try await page(query).items }

    /// The tasks on the page of a query.
    package func tasks(_ query: TaskQuery) async throws -> [ImageTask] { try await page(query).items }
}

/// The filters and the page of a list of tasks.
package struct TaskQuery: Sendable, Equatable {
    /// The largest number of tasks; 0 or more.
    package var limit = 25
    /// The largest estimated size of the page in bytes; at least one task is returned.
    package var pageSize = CatalogPage<ImageTask>.ordinarySize
    /// The task after which the page begins; nil for the first page.
    package var marker: UUID?
    /// Only tasks of this image; nil for all.
    package var image: ImageID?
    /// Only tasks of this project; nil for all.
    package var owner: String?

    package init() {}
}

/// A page of locations whose full reads would build manifests.
package struct ManifestCandidates: Sendable, Equatable {
    /// The end of a page.
    package struct Cursor: Sendable, Hashable {
        let number: Int64
    }

    package let locations: [Location]
    /// The start of the next page; nil if this is the last one.
    package let next: Cursor?
}
