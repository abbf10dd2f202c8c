package import ImageModel

/// A location to register.
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
    package var size: Int64?
    /// The declared digests.
    package var digests: DigestSet
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
