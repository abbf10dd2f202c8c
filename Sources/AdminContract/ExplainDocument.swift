package import ImageModel

/// The selection for a download of an image.
package struct ExplainDocument: JSONDocument, Decodable, Equatable {
    /// What is downloaded.
    package enum Purpose: String, Sendable, CaseIterable {
        case whole, range
    }

    /// The id of the image.
    package let image: String
    /// The format that was asked for, or the image's own; nil if there is none.
    @Nullable package var format: String?
    /// The formats that the image has locations of.
    package let formats: [String]
    /// The order of locations in a tier: `ordered`, `weighted` or `measured`.
    package let strategy: String
    /// A `Purpose`.
    package let purpose: String
    /// The content; nil while it is unknown.
    @Nullable package var representation: RepresentationDocument?
    /// The chunks; nil without a manifest that can be read.
    @Nullable package var manifest: ManifestDocument?
    /// The locations that can serve, the best first.
    package let ranked: [RankedDocument]
    /// The locations that can't serve.
    package let rejected: [RejectedDocument]

    package init(
        image: ImageID, format: Format?, formats: [Format], strategy: String, purpose: Purpose,
        representation: RepresentationDocument?, manifest: ManifestDocument?, ranked: [RankedDocument],
        rejected: [RejectedDocument]
    ) {
        self.image = image.description
        self.format = format?.description
        self.formats = formats.map(\.description)
        self.strategy = strategy
        self.purpose = purpose.rawValue
        self.representation = representation
        self.manifest = manifest
        self.ranked = ranked
        self.rejected = rejected
    }

    private enum CodingKeys: String, CodingKey {
        case image, format, formats, strategy, representation, manifest, ranked, rejected
        case purpose = "for"
    }
}

/// The content that a download delivers.
package struct RepresentationDocument: Codable, Equatable, Sendable {
    /// The size in bytes.
    package let size: Int64
    /// The algorithm and the digest: `sha256:9f86…`.
    package let digest: String
    package let isOnIntegrityHold: Bool
    package let hasDigestConflict: Bool
    /// Whether ranges of it are served.
    package let servesRanges: Bool
    /// The time of the last failed verification of the whole.
    @Nullable package var lastMismatchAt: Timestamp?

    package init(_ representation: Representation, servesRanges: Bool) {
        size = representation.size
        digest = representation.identity.description
        isOnIntegrityHold = representation.isOnIntegrityHold
        hasDigestConflict = representation.hasDigestConflict
        self.servesRanges = servesRanges
        lastMismatchAt = representation.lastMismatchAt.map { Timestamp($0) }
    }

    private enum CodingKeys: String, CodingKey {
        case size, digest
        case isOnIntegrityHold = "integrity_hold"
        case hasDigestConflict = "digest_conflict"
        case servesRanges = "serves_ranges"
        case lastMismatchAt = "held_since"
    }
}

/// The division of a representation into chunks that have a digest each.
package struct ManifestDocument: Codable, Equatable, Sendable {
    package let algorithm: String
    /// The size of every chunk but the last in bytes.
    package let chunkSize: Int64
    /// The number of chunks.
    package let chunks: Int

    package init(_ layout: ChunkLayout) {
        algorithm = layout.algorithm.rawValue
        chunkSize = layout.chunkSize
        chunks = layout.count
    }

    private enum CodingKeys: String, CodingKey {
        case algorithm, chunks
        case chunkSize = "chunk_size"
    }
}
