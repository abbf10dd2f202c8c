package import FoundationEssentials

/// A project that an image is shared with.
package struct Member: Sendable, Hashable {
    /// What the project makes of it; the values of Glance.
    package enum Status: String, Sendable, Hashable, Codable, CaseIterable {
        /// It has not said anything yet.
        case pending
        /// It wants the image in its lists.
        case accepted
        /// It does not.
        case rejected
    }

    /// The image that is shared.
    package let image: ImageID
    /// The project's id.
    package let project: String
    /// What the project makes of it.
    package var status: Status
    /// When it was shared.
    package let createdAt: Date
    /// When the status was last set.
    package var updatedAt: Date

    /// A member with every property given.
    package init(image: ImageID, project: String, status: Status = .pending, createdAt: Date, updatedAt: Date) {
        self.image = image
        self.project = project
        self.status = status
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}
