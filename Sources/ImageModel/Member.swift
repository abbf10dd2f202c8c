package import FoundationEssentials

/// A project that an image is shared with.
package struct Member: Sendable, Hashable {
    /// The project's response; the values of Glance.
    package enum Status: String, Sendable, Hashable, Codable, CaseIterable {
        /// The project has not responded.
        case pending
        /// The project wants the image in its lists.
        case accepted
        /// The project does not want the image in its lists.
        case rejected
    }

    package let image: ImageID
    package let project: String
    package var status: Status
    /// The time at which the image was shared.
    package let createdAt: Date
    /// The time at which the status was last set.
    package var updatedAt: Date

    package init(image: ImageID, project: String, status: Status = .pending, createdAt: Date, updatedAt: Date) {
        self.image = image
        self.project = project
        self.status = status
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}
