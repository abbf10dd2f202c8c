package import FoundationEssentials

/// Work for an image that continues after the request was answered, like Glance's tasks.
package struct ImageTask: Sendable, Hashable {
    /// The progress; the values of Glance.
    package enum Status: String, Sendable, Hashable, Codable, CaseIterable {
        /// The work has not begun.
        case pending
        /// The work is running.
        case processing
        /// The work is complete.
        case success
        /// The work failed or was interrupted; the task's message has the reason.
        case failure
    }

    package let id: UUID
    /// The kind in Glance's terms: `location_import`.
    package let kind: String
    package var status: Status
    /// The image that the task works on.
    package let image: ImageID
    /// The project of the caller who started it; nil if there is none.
    package let owner: String?
    /// The user who started it.
    package let user: String
    /// The id of the request that started it.
    package let request: String
    /// The input as JSON.
    package let input: String
    /// The reason for a failure; empty otherwise.
    package var message: String
    package let createdAt: Date
    package var updatedAt: Date

    package init(
        id: UUID = UUID(), kind: String, status: Status = .pending, image: ImageID, owner: String?, user: String,
        request: String, input: String, message: String = "", createdAt: Date, updatedAt: Date
    ) {
        self.id = id
        self.kind = kind
        self.status = status
        self.image = image
        self.owner = owner
        self.user = user
        self.request = request
        self.input = input
        self.message = message
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}
