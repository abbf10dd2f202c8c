package import FoundationEssentials
package import ImageModel

/// The locations at which a trusted client can read an image by itself, and the digests to verify it with.
package struct DirectDocument: JSONDocument, Decodable, Equatable {
    /// The id of the image.
    package let image: String
    package let diskFormat: String
    package let containerFormat: String
    /// The size in bytes.
    package let size: Int64
    /// The identity digest, with its algorithm: `sha256:9f86…`.
    package let digest: String
    /// The digests in hexadecimal digits, by algorithm.
    package let digests: [String: String]
    /// The entity tag of the download.
    package let entityTag: String
    /// The locations, the best first.
    package let locations: [DirectLocationDocument]
    /// The reason why there is no location, or none that is healthy.
    @Nullable package var absence: String?
    /// The path of the download from the server, which always works.
    package let stream: String

    package init(
        _ representation: Representation, digests: DigestSet, locations: [DirectLocationDocument], absence: String?,
        stream: String
    ) {
        image = representation.image.description
        diskFormat = representation.format.disk.rawValue
        containerFormat = representation.format.container.rawValue
        size = representation.size
        digest = representation.identity.description
        self.digests = digests.hexByAlgorithm
        entityTag = representation.entityTag
        self.locations = locations
        self.absence = absence
        self.stream = stream
    }

    private enum CodingKeys: String, CodingKey {
        case image, size, digest, digests, locations, absence, stream
        case diskFormat = "disk_format"
        case containerFormat = "container_format"
        case entityTag = "etag"
    }
}

/// A location with the URL to read it at.
package struct DirectLocationDocument: Codable, Equatable, Sendable {
    /// The id of the location.
    package let location: String
    /// The id of the backend that holds it.
    package let backend: String
    /// The URL, which may contain a signature. It must not be logged.
    package let url: String
    /// The time at which the URL expires; nil if it does not expire.
    @Nullable package var expires: Timestamp?
    /// Whether the location is in order now.
    package let isHealthy: Bool
    /// The size in bytes; nil while unknown.
    @Nullable package var size: Int64?
    /// The digests in hexadecimal digits, by algorithm.
    package let digests: [String: String]
    @Nullable package var verifiedAt: Timestamp?

    package init(_ location: Location, url: String, expires: Date?, isHealthy: Bool) {
        self.location = location.id.description
        backend = location.backend.name
        self.url = url
        self.expires = expires.map { Timestamp($0) }
        self.isHealthy = isHealthy
        size = location.size
        digests = location.digests.hexByAlgorithm
        verifiedAt = location.verifiedAt.map { Timestamp($0) }
    }

    private enum CodingKeys: String, CodingKey {
        case location, backend, url, expires, size, digests
        case isHealthy = "healthy"
        case verifiedAt = "verified_at"
    }
}
