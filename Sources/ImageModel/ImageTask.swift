package import FoundationEssentials

/// Something that Baton does for an image after the request for it was answered, as Glance's tasks are.
package struct ImageTask: Sendable, Hashable {
    /// How far it is; the values of Glance.
    package enum Status: String, Sendable, Hashable, Codable, CaseIterable {
        case pending, processing, success, failure
    }

    /// Its name in the API.
    package let id: UUID
    /// What it does, in Glance's word: `location_import`.
    package let kind: String
    /// How far it is.
    package var status: Status
    /// The image it is for.
    package let image: ImageID
    /// The project that asked for it.
    package let owner: String?
    /// The user who asked for it.
    package let user: String
    /// The request that asked for it.
    package let request: String
    /// What was asked, as JSON.
    package let input: String
    /// Why it failed; empty otherwise.
    package var message: String
    /// When it was asked for.
    package let createdAt: Date
    /// When its status last changed.
    package var updatedAt: Date

    /// A task with every property given.
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
