package import FoundationEssentials

/// A place where one representation of an image can be read.
package struct Location: Sendable, Hashable {
    /// Its name in the API.
    package let id: LocationID
    /// The image it belongs to.
    package let image: ImageID
    /// The configured storage system it lies in.
    package let backend: BackendID
    /// Where in the backend, relative to the backend's root, decoded, without a leading slash.
    package let path: String
    /// The URL it was registered with; shown to admins only.
    package let url: String
    /// Its status and those before.
    package var state: LocationState
    /// Which representation it holds.
    package let format: Format
    /// Its size in bytes, as declared or computed; nil until then.
    package let size: Int64?
    /// Its digests, as declared or computed.
    package let digests: DigestSet
    /// Those of its digests that nobody declared: a full read computed them.
    package let computed: Set<DigestAlgorithm>
    /// Whether it is known to hold its representation: size and identity digest are the representation's.
    package var isIdentified: Bool
    /// The operator's preference under the strategy `weighted`: higher is earlier.
    package var weight: Int
    /// The operator's class: all of a lower tier come before any of a higher one.
    package var tier: Int
    /// Free words of the operator.
    package var metadata: [String: String]
    /// What pinned the object when it was last read in full, or when it was probed if it never was; nil if nothing did.
    package var validator: Validator?
    /// Whether it contributed to a failed verification and has not been cleared since.
    package var isSuspect: Bool
    /// When a read of it alone last matched the identity digest.
    package var verifiedAt: Date?
    /// When it is due to be read again without anybody asking; nil when no time is set.
    package var nextReadAt: Date?
    /// How many reads of it in a row came to nothing or to other content.
    package var failedReads: Int
    /// When it is forgotten for good, if it is marked for deletion.
    package var expiresAt: Date?
    /// When it was registered.
    package let createdAt: Date

    /// A location with every property given.
    package init(
        id: LocationID, image: ImageID, backend: BackendID, path: String, url: String, state: LocationState = LocationState(),
        format: Format, size: Int64?, digests: DigestSet, computed: Set<DigestAlgorithm> = [], isIdentified: Bool = true,
        weight: Int = 0, tier: Int = 0, metadata: [String: String] = [:], validator: Validator? = nil,
        isSuspect: Bool = false, verifiedAt: Date? = nil, nextReadAt: Date? = nil, failedReads: Int = 0,
        expiresAt: Date? = nil, createdAt: Date
    ) {
        self.id = id
        self.image = image
        self.backend = backend
        self.path = path
        self.url = url
        self.state = state
        self.format = format
        self.size = size
        self.digests = digests
        self.computed = computed
        self.isIdentified = isIdentified
        self.weight = weight
        self.tier = tier
        self.metadata = metadata
        self.validator = validator
        self.isSuspect = isSuspect
        self.verifiedAt = verifiedAt
        self.nextReadAt = nextReadAt
        self.failedReads = failedReads
        self.expiresAt = expiresAt
        self.createdAt = createdAt
    }

    /// What it holds: of one representation, any location gives the same bytes.
    package var representation: Representation.Name { Representation.Name(image: image, format: format) }

    /// Whether a range can be served from it without the digests of chunks: it was read in full, its content matched, nothing has
    /// spoken against it since, and its validator tells whether it is still the object that was read.
    package var servesVerifiedRanges: Bool {
        state.status.serves && isIdentified && verifiedAt != nil && validator != nil && !isSuspect
    }
}
