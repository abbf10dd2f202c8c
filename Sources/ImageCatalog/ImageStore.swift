package import FoundationEssentials
package import ImageModel

/// The part of the catalog that Glance's API is made of: images with all that is shown of them, members, tasks. Every operation
/// is one transaction; errors are `CatalogError`s, and what a caller's own closure throws.
package protocol ImageStore: UploadStore {
    /// An image and what belongs to it, seen by a project; nil if there is no such image.
    func record(of image: ImageID, for project: String?) async throws -> ImageRecord?
    /// The images that a query asks for, in its order, as far as a page goes. Throws `unknownMarker`.
    func page(_ query: ImageQuery) async throws -> CatalogPage<ImageRecord>
    /// Reads an image, lets `change` edit it, and stores what it made of it, all in one transaction: no other writer comes
    /// between. Nothing is stored when `change` throws.
    /// Throws `unknownImage`, what registering a location throws, and what `change` throws.
    func update(
        _ image: ImageID, for project: String?, at time: Date, actor: String,
        _ change: @escaping @Sendable (inout ImageEdit) throws -> Void
    ) async throws -> ImageRecord
    /// Forgets locations that were registered in vain and never served.
    func forget(_ locations: [LocationID]) async throws
    /// The images whose bytes are being uploaded.
    func imagesBeingSaved() async throws -> [ImageID]
    /// Ends these uploads, as far as they are not over.
    func recoverUploads(_ images: [ImageID], at time: Date) async throws
    /// Ends what a restart cut off: these uploads, and all imports.
    func recoverImagesAfterStart(at time: Date, cutOff: [ImageID]) async throws

    /// The projects that an image is shared with, in order of their sharing.
    func members(of image: ImageID) async throws -> [Member]
    /// Shares an image. Throws `memberExists`, `unknownImage`.
    func add(_ member: Member) async throws
    /// Stores what a project makes of an image. Throws `unknownMember`.
    func setStatus(_ status: Member.Status, of project: String, in image: ImageID, at time: Date) async throws -> Member
    /// Shares an image no longer. Throws `unknownMember`.
    func removeMember(_ project: String, of image: ImageID) async throws

    /// Writes a task down.
    func add(_ task: ImageTask) async throws
    /// Says how a task goes on.
    func setStatus(_ status: ImageTask.Status, message: String, ofTask id: UUID, at time: Date) async throws
    /// The task of that id.
    func task(_ id: UUID) async throws -> ImageTask?
    /// The tasks that a query asks for, the newest first, as far as a page goes.
    func page(_ query: TaskQuery) async throws -> CatalogPage<ImageTask>
}

extension ImageStore {
    /// What is on the page of images that a query asks for.
    package func records(_ query: ImageQuery) async throws -> [ImageRecord] { try await page(query).items }

    /// What is on the page of tasks that a query asks for.
    package func tasks(_ query: TaskQuery) async throws -> [ImageTask] { try await page(query).items }
}

/// Which tasks a list shows.
package struct TaskQuery: Sendable, Equatable {
    /// At most so many; from 0.
    package var limit = 25
    /// At most so many bytes, as their size is estimated, but at least one task.
    package var pageSize = CatalogPage<ImageTask>.ordinarySize
    /// Begin behind this one.
    package var marker: UUID?
    /// Only those for this image.
    package var image: ImageID?
    /// Only those of this project; nil for everybody's.
    package var owner: String?

    /// Everything, 25 at a time.
    package init() {}
}
