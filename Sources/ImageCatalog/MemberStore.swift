package import FoundationEssentials
package import ImageModel

/// The sharing of images with projects. Every operation is one transaction; errors are `CatalogError`s.
package protocol MemberStore: Sendable {
    /// The projects that an image is shared with, in the order of sharing.
    func members(of image: ImageID) async throws -> [Member]
    /// Shares an image with a project. Throws `memberExists`, `unknownImage`.
    func add(_ member: Member) async throws
    /// Stores a project's response to a shared image. Throws `unknownMember`.
    func setStatus(_ status: Member.Status, of project: String, in image: ImageID, at time: Date) async throws -> Member
    /// Ends the sharing of an image with a project. Throws `unknownMember`.
    func removeMember(_ project: String, of image: ImageID) async throws
}
