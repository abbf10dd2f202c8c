public import FoundationEssentials

/// A project that an image is shared with.
public struct Member: Sendable, Hashable {
    /// What the project makes of it; the values of Glance.
    public enum Status: String, Sendable, Hashable, Codable, CaseIterable {
        /// It has not said anything yet.
        case pending
        /// It wants the image in its lists.
        case accepted
        /// It does not.
        case rejected
    }

    /// The image that is shared.
    public let image: ImageID
    /// The project's id.
    public let project: String
    /// What the project makes of it.
    public var status: Status
    /// When it was shared.
    public let createdAt: Date
    /// When the status was last set.
    public var updatedAt: Date

    /// A member with every property given.
    public init(image: ImageID, project: String, status: Status = .pending, createdAt: Date, updatedAt: Date) {
        self.image = image
        self.project = project
        self.status = status
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}
