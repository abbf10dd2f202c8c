package import ImageModel

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
