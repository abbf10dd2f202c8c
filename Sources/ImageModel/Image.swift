package import FoundationEssentials

/// An image, which clients request by id.
package struct Image: Sendable, Hashable {
    /// Glance's image status, without the values that Baton's images never have.
    package enum Status: String, Sendable, Hashable, Codable, CaseIterable {
        /// No location can serve yet.
        case queued
        /// A client is uploading the bytes.
        case saving
        /// A location was added and is being checked.
        case importing
        /// At least one location serves or has served. The catalog sets it in the transaction that lets the first location serve.
        case active
        /// An operator has stopped its downloads.
        case deactivated
    }

    /// The visibility, which decides which projects may read the image; the values of Glance.
    package enum Visibility: String, Sendable, Hashable, Codable, CaseIterable {
        /// Every project may read the image and sees it in lists.
        case `public`
        /// Every project may read the image. Lists show it only on request.
        case community
        /// The owning project and the image's members may read it.
        case shared
        /// The owning project alone may read the image.
        case `private`
    }

    package let id: ImageID
    /// A name for people; not unique.
    package var name: String?
    /// The status, which decides whether it can be downloaded.
    package var status: Status
    package var visibility: Visibility
    /// The disk format of the representation of a plain download; nil while unknown.
    package var diskFormat: DiskFormat?
    /// The container format of that representation; nil while unknown.
    package var containerFormat: ContainerFormat?
    /// The disk size that a machine needs to boot it, in GiB.
    package var minDisk: Int
    /// The memory that a machine needs to boot it, in MiB.
    package var minRAM: Int
    /// Whether it must not be deleted.
    package var isProtected: Bool
    /// Whether lists omit it.
    package var isHidden: Bool
    package var owner: String?
    /// Free-form tags for finding it.
    package var tags: [String]
    /// Additional user properties, which appear at the top level on the wire; nil for a property that is null there.
    package var properties: [String: String?]
    package let createdAt: Date
    package var updatedAt: Date

    package init(
        id: ImageID, name: String? = nil, status: Status = .queued, visibility: Visibility = .shared,
        diskFormat: DiskFormat? = nil, containerFormat: ContainerFormat? = nil, minDisk: Int = 0, minRAM: Int = 0,
        isProtected: Bool = false, isHidden: Bool = false, owner: String? = nil, tags: [String] = [],
        properties: [String: String?] = [:], createdAt: Date, updatedAt: Date
    ) {
        self.id = id
        self.name = name
        self.status = status
        self.visibility = visibility
        self.diskFormat = diskFormat
        self.containerFormat = containerFormat
        self.minDisk = minDisk
        self.minRAM = minRAM
        self.isProtected = isProtected
        self.isHidden = isHidden
        self.owner = owner
        self.tags = tags
        self.properties = properties
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }

    /// The format of the representation of a plain download; nil while a format is unknown.
    package var format: Format? {
        guard let diskFormat, let containerFormat else { return nil }
        return Format(disk: diskFormat, container: containerFormat)
    }
}

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
