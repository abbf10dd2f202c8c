package import ImageModel

/// A location as a client of Glance gives it: a place, and perhaps what its bytes must be.
package struct ProposedLocation: Sendable, Equatable {
    /// The image it is for.
    package let image: ImageID
    /// Its backend.
    package let backend: BackendID
    /// Where in the backend.
    package let path: String
    /// The URL as it was given, with its fragment.
    package let url: String
    /// Which representation it holds.
    package let format: Format
    /// Its size in bytes; nil if the client did not say, as Glance's never do.
    package let size: Int64?
    /// Its digests; empty if the client did not say.
    package let digests: DigestSet
    /// Free words.
    package let metadata: [String: String]

    /// A proposal with every property given.
    package init(
        image: ImageID, backend: BackendID, path: String, url: String, format: Format, size: Int64?, digests: DigestSet,
        metadata: [String: String]
    ) {
        self.image = image
        self.backend = backend
        self.path = path
        self.url = url
        self.format = format
        self.size = size
        self.digests = digests
        self.metadata = metadata
    }
}
