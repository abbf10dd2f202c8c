package import FoundationEssentials
package import ImageModel

/// Where images, representations and locations are kept. Every operation is one transaction; errors are `CatalogError`s.
package protocol CatalogStore: LifecycleStore, ManifestStore {
    /// Registers an image. Throws `imageExists`, `formerImage` for the id of one that was deleted, and `overQuota` when the project that
    /// owns it has as many as it may.
    func createImage(_ image: Image, quota: ProjectQuota) async throws
    /// The image of that id.
    func image(_ id: ImageID) async throws -> Image?
    /// Forgets an image with its representations and locations. Throws `unknownImage`, `protectedImage`.
    func deleteImage(_ id: ImageID) async throws

    /// Registers a location, pending, in the representation of its image and format, which it founds if it is the first.
    /// What can't be told to hold the same content (no size, or no digest in the identity's algorithm) joins it when it has been
    /// read. Throws `unknownImage`, `duplicateLocation`, `differentContent`.
    func addLocation(
        _ new: NewLocation, id: LocationID, at time: Date, actor: String, reason: String
    ) async throws -> Location
    /// The location of that id.
    func location(_ id: LocationID) async throws -> Location?
    /// An image's locations in the order of registration.
    func locations(of image: ImageID) async throws -> [Location]

    /// What a download needs to know, as of one moment; nil if there is no such image.
    func resolve(_ image: ImageID, format: RequestedFormat) async throws -> Resolution?
}

extension CatalogStore {
    /// Registers an image, however many there are. Throws as `createImage(_:quota:)`.
    package func createImage(_ image: Image) async throws { try await createImage(image, quota: ProjectQuota()) }
}

/// A location to register.
package struct NewLocation: Sendable, Equatable {
    /// The image it belongs to.
    package let image: ImageID
    /// Its backend.
    package let backend: BackendID
    /// Where in the backend.
    package let path: String
    /// The URL it was given with.
    package let url: String
    /// Which representation it holds.
    package let format: Format
    /// Its size in bytes, if declared.
    package let size: Int64?
    /// Its digests, as far as declared.
    package let digests: DigestSet
    /// The preference under `weighted`.
    package let weight: Int
    /// The operator's class.
    package let tier: Int
    /// Free words.
    package let metadata: [String: String]

    /// A location with every property given.
    package init(
        image: ImageID, backend: BackendID, path: String, url: String, format: Format, size: Int64?, digests: DigestSet,
        weight: Int = 0, tier: Int = 0, metadata: [String: String] = [:]
    ) {
        self.image = image
        self.backend = backend
        self.path = path
        self.url = url
        self.format = format
        self.size = size
        self.digests = digests
        self.weight = weight
        self.tier = tier
        self.metadata = metadata
    }
}

/// Which representation a download wants; what it leaves open, the image's own formats fill in.
package struct RequestedFormat: Sendable, Equatable {
    /// The disk format, if asked for.
    package var disk: DiskFormat?
    /// The container format, if asked for.
    package var container: ContainerFormat?

    /// The image's own.
    package init() {}

    /// Exactly this one.
    package init(_ format: Format) {
        disk = format.disk
        container = format.container
    }
}

/// What a download needs to know of an image.
package struct Resolution: Sendable, Equatable {
    /// The image.
    package let image: Image
    /// The representation that was asked for; nil if the image has none such, or none of its locations is identified yet.
    package let representation: Representation?
    /// The digests of the representation's chunks, if they are known.
    package let manifest: StoredManifest?
    /// The locations of the format that was asked for in the order of registration, tombstones left out.
    package let locations: [Location]
    /// The formats of all its representations and locations; empty if it never had a location.
    package let formats: [Format]
    /// The format that was asked for; nil if the image's own is not known.
    package let format: Format?
}

/// One line of a location's history.
package struct LocationHistoryEntry: Sendable, Equatable {
    /// When.
    package let time: Date
    /// What happened: a `LocationEvent`'s name, or `registered`, `suspect`, `verified`, `probe-failed`.
    package let event: String
    /// The status before.
    package let from: LocationStatus
    /// The status after.
    package let to: LocationStatus
    /// Who did it.
    package let actor: String
    /// Why.
    package let reason: String
}
