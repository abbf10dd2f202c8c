package import ImageModel

/// What a caller may do with one image, as Glance's default policies have it.
///
/// What a caller may not see does not exist for them; what they may see and not do is forbidden.
package struct ImageAccess: Sendable, Hashable {
    /// Who asks.
    package let caller: Caller
    /// The project that owns the image; nil for none.
    package let owner: String?
    /// Who may see it.
    package let visibility: Image.Visibility
    /// Whether downloads of it were stopped.
    package let isDeactivated: Bool
    /// What the caller's project made of it, if it is shared with that project.
    package let membership: Member.Status?

    /// The access of `caller` to `image`.
    package init(_ caller: Caller, to image: Image, membership: Member.Status?) {
        self.caller = caller
        owner = image.owner
        visibility = image.visibility
        isDeactivated = image.status == .deactivated
        self.membership = membership
    }

    /// Whether the caller's project owns the image.
    package var isOwner: Bool { owner != nil && owner == caller.project }

    /// Whether the image is shared with the caller's project. Who has rejected it may still look at it, or could never change
    /// their mind; it only stays out of their lists.
    package var isMember: Bool { visibility == .shared && membership != nil }

    /// Whether they see that it exists.
    package var maySee: Bool {
        if caller.isAdmin { return true }
        guard !caller.roles.isEmpty else { return false }
        return visibility == .public || visibility == .community || isOwner || isMember
    }

    /// Whether they get its bytes.
    package var mayDownload: Bool { maySee && (!isDeactivated || caller.isAdmin) }

    /// Whether they change, upload, deactivate, tag or share it.
    package var mayModify: Bool { caller.isAdmin || (isOwner && caller.roles.contains(.member)) }

    /// Whether they delete it.
    package var mayDelete: Bool { mayModify }

    /// Whether they see whom it is shared with.
    package var maySeeMembers: Bool { caller.isAdmin || (maySee && (isOwner || isMember)) }

    /// Whether they answer for a project that it is shared with. An owner does not answer for others.
    package func mayAnswer(for project: String) -> Bool {
        caller.isAdmin || (isMember && caller.project == project && caller.roles.contains(.member))
    }

    /// Whether they see a member's record: that of their own project, or all if they share it.
    package func maySee(member project: String) -> Bool {
        caller.isAdmin || (maySee && (isOwner || (isMember && caller.project == project)))
    }
}

extension Caller {
    /// Whether they create images of their own project.
    package var mayCreate: Bool { isAdmin || (project != nil && roles.contains(.member)) }

    /// Whether they make an image public, or take that back.
    package var mayPublicize: Bool { isAdmin }

    /// Whether they see in an image's document where it lies, and are sent there. Admins are: they manage locations by what they see.
    package var maySeeLocations: Bool { has(.trusted) }

    /// Whether they list an image's locations by the call of its own that Glance has for other services of the cloud.
    package var mayListLocations: Bool { has(.service) }

    /// Whether they take locations from images. (Who adds one is the backend's affair.)
    package var mayRemoveLocations: Bool { isAdmin }
}
