package import ImageModel

/// The rights of a caller on one image, by Glance's default policies.
///
/// An image that a caller may not see does not exist for them. An operation that they may not perform on a visible image is
/// forbidden.
package struct ImageAccess: Sendable, Hashable {
    package let caller: Caller
    /// The project that owns the image; nil for none.
    package let owner: String?
    package let visibility: Image.Visibility
    /// Whether downloads of it were stopped.
    package let isDeactivated: Bool
    /// The response of the caller's project, if the image is shared with it.
    package let membership: Member.Status?

    package init(_ caller: Caller, to image: Image, membership: Member.Status?) {
        self.caller = caller
        owner = image.owner
        visibility = image.visibility
        isDeactivated = image.status == .deactivated
        self.membership = membership
    }

    package var isOwner: Bool { owner != nil && owner == caller.project }

    /// Whether the image is shared with the caller's project. A project that has rejected it may still look at it, since it
    /// could otherwise never change its response; the image only stays out of its lists.
    package var isMember: Bool { visibility == .shared && membership != nil }

    /// Whether the caller may know that the image exists.
    package var maySee: Bool {
        if caller.isAdmin { return true }
        guard !caller.roles.isEmpty else { return false }
        return visibility == .public || visibility == .community || isOwner || isMember
    }

    /// Whether the caller may download the image.
    package var mayDownload: Bool { maySee && (!isDeactivated || caller.isAdmin) }

    /// Whether the caller may change, upload, deactivate, tag or share it.
    package var mayModify: Bool { caller.isAdmin || (isOwner && caller.roles.contains(.member)) }

    package var mayDelete: Bool { mayModify }

    /// Whether the caller may see the projects it is shared with.
    package var maySeeMembers: Bool { caller.isAdmin || (maySee && (isOwner || isMember)) }

    /// Whether the caller may respond for a project that the image is shared with. An owner does not respond for other
    /// projects.
    package func mayAnswer(for project: String) -> Bool {
        caller.isAdmin || (isMember && caller.project == project && caller.roles.contains(.member))
    }

    /// Whether the caller may see a member's record: that of the own project, or all records for the owner.
    package func maySee(member project: String) -> Bool {
        caller.isAdmin || (maySee && (isOwner || (isMember && caller.project == project)))
    }
}

extension Caller {
    /// Whether the caller may create images of the own project.
    package var mayCreate: Bool { isAdmin || (project != nil && roles.contains(.member)) }

    /// Whether the caller may make an image public, or private again.
    package var mayPublicize: Bool { isAdmin }

    /// Whether the caller may see the locations in an image's document, and be redirected to them. Admins may, since they
    /// manage locations by what they see.
    package var maySeeLocations: Bool { has(.trusted) }

    /// Whether the caller may list an image's locations by Glance's separate call for other services.
    package var mayListLocations: Bool { has(.service) }

    /// Whether the caller may remove locations from images. (The backend's rule decides on adding them.)
    package var mayRemoveLocations: Bool { isAdmin }
}
