package import FoundationEssentials
package import ImageModel

/// The tasks of Glance's API. Every operation is one transaction; errors are `CatalogError`s.
package protocol TaskStore: Sendable {
    /// Stores a new task.
    func add(_ task: ImageTask) async throws
    /// Updates the status of a task.
    func setStatus(_ status: ImageTask.Status, message: String, ofTask id: UUID, at time: Date) async throws
    /// The task with that id; nil if there is none.
    func task(_ id: UUID) async throws -> ImageTask?
    /// A page of the tasks that match a query, the newest first.
    func page(_ query: TaskQuery) async throws -> CatalogPage<ImageTask>
}

extension TaskStore {
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
