package import FoundationEssentials

/// What a client asks for by id.
package struct Image: Sendable, Hashable {
    /// Glance's image status, as far as Baton's images have one.
    package enum Status: String, Sendable, Hashable, Codable, CaseIterable {
        /// No location can serve yet.
        case queued
        /// A client is uploading its bytes.
        case saving
        /// A location was given and is being looked at.
        case importing
        /// At least one location may serve or did.
        case active
        /// An operator has stopped its downloads.
        case deactivated
    }

    /// Who may see it, as Glance has it.
    package enum Visibility: String, Sendable, Hashable, Codable, CaseIterable {
        case `public`, community, shared, `private`
    }

    /// Its name in the API.
    package let id: ImageID
    /// A name for people; not unique.
    package var name: String?
    /// Whether it can be downloaded.
    package var status: Status
    /// Who may see it.
    package var visibility: Visibility
    /// The disk format of the representation that a plain download gets; nil while unknown.
    package var diskFormat: DiskFormat?
    /// The container format of that representation; nil while unknown.
    package var containerFormat: ContainerFormat?
    /// The disk that a machine needs to boot it, in GiB.
    package var minDisk: Int
    /// The memory that a machine needs to boot it, in MiB.
    package var minRAM: Int
    /// Whether it must not be deleted.
    package var isProtected: Bool
    /// Whether lists leave it out.
    package var isHidden: Bool
    /// The project that owns it.
    package var owner: String?
    /// Free words for finding it.
    package var tags: [String]
    /// Further properties of the user, which appear at the top level on the wire; nil for one that is null there.
    package var properties: [String: String?]
    /// When it was created.
    package let createdAt: Date
    /// When it was last changed.
    package var updatedAt: Date

    /// An image with every property given.
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

    /// Which representation a plain download gets; nil while a format is unknown.
    package var format: Format? {
        guard let diskFormat, let containerFormat else { return nil }
        return Format(disk: diskFormat, container: containerFormat)
    }
}
