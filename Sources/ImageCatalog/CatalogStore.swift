package import FoundationEssentials
package import ImageModel

/// The store of images, representations and locations. Every operation is one transaction; errors are `CatalogError`s.
package protocol CatalogStore: LocationStore, ManifestStore {
    /// Registers an image. Throws `imageExists`, `formerImage` for the id of a deleted image, and `overQuota` if the owning
    /// project has reached its quota.
    func createImage(_ image: Image, quota: ProjectQuota) async throws
    /// The image with that id; nil if there is none.
    func image(_ id: ImageID) async throws -> Image?
    /// Deletes an image with its representations and locations. Throws `unknownImage`, `protectedImage`.
    func deleteImage(_ id: ImageID) async throws

    /// Registers a pending location in the representation of its image and format, which is created for the first location. A
    /// location that can't be compared (without a size, or without a digest in the identity's algorithm) joins the
    /// representation after it was read. Throws `unknownImage`, `duplicateLocation`, `differentContent`.
    func addLocation(
        _ new: NewLocation, id: LocationID, at time: Date, actor: String, reason: String
    ) async throws -> Location
    /// The location with that id; nil if there is none.
    func location(_ id: LocationID) async throws -> Location?
    /// An image's locations in the order of registration.
    func locations(of image: ImageID) async throws -> [Location]

    /// The data that a download needs, as of one moment; nil if there is no such image.
    func resolve(_ image: ImageID, format: RequestedFormat) async throws -> Resolution?
}

extension CatalogStore {
    /// Registers an image without a quota. Throws as `createImage(_:quota:)`.
    package func createImage(_ image: Image) async throws { try await createImage(image, quota: ProjectQuota()) }
}

package struct NewLocation: Sendable, Equatable {
    package let image: ImageID
    package let backend: BackendID
    /// The path in the backend.
    package let path: String
    /// The URL that it was registered with.
    package let url: String
    /// The format of the representation that it holds.
    package let format: Format
    /// The declared size in bytes; nil if none was declared.
    package let size: Int64?
    /// The declared digests.
    package let digests: DigestSet
    /// The preference under the strategy `weighted`; higher ones come first.
    package let weight: Int
    /// The tier: all locations of a lower tier precede those of a higher one.
    package let tier: Int
    /// Free-form metadata.
    package let metadata: [String: String]

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

/// The requested formats of a download. Missing ones default to the image's own.
package struct RequestedFormat: Sendable, Equatable {
    /// The requested disk format; nil for the image's own.
    package var disk: DiskFormat?
    /// The requested container format; nil for the image's own.
    package var container: ContainerFormat?

    package init() {}

    package init(_ format: Format) {
        disk = format.disk
        container = format.container
    }
}

/// The data of an image that a download needs.
package struct Resolution: Sendable, Equatable {
    package let image: Image
    /// The requested representation; nil if the image has none with that format, or if none of its locations is identified yet.
    package let representation: Representation?
    /// The manifest of the representation; nil if there is none.
    package let manifest: StoredManifest?
    /// The locations of the requested format in the order of registration, without tombstones.
    package let locations: [Location]
    /// The formats of all its representations and locations; empty if it never had a location.
    package let formats: [Format]
    /// The requested format; nil if the image's own is unknown.
    package let format: Format?
}

/// One entry of a location's history.
package struct LocationHistoryEntry: Sendable, Equatable {
    package let time: Date
    /// The name of a `LocationEvent`, if the entry records an event. Other names record changes without one:
    /// - `registered`: the location was added.
    /// - `edited`: an operator changed its weight, tier or metadata.
    /// - `probe-failed`: a probe failed, and the location stays pending.
    /// - `marked_suspect`: it contributed to bytes that did not match their digest.
    /// - `verified`: a full read or a download from it alone matched the digest, which clears a suspect.
    /// - `missed`: a scrub did not find its object.
    /// - `digest_conflict`: another location has the same content, which contradicts the declared digest.
    package let event: String
    package let from: LocationStatus
    package let to: LocationStatus
    /// The user or the component that caused it.
    package let actor: String
    /// The reason, as one phrase for a person; an operator's own text for an operation that has one.
    package let reason: String
}
