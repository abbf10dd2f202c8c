public import FoundationEssentials

/// A place where one representation of an image can be read.
public struct Location: Sendable, Hashable {
    /// Its name in the API.
    public let id: LocationID
    /// The image it belongs to.
    public let image: ImageID
    /// The configured storage system it lies in.
    public let backend: BackendID
    /// Where in the backend, relative to the backend's root, decoded, without a leading slash.
    public let path: String
    /// The URL it was registered with; shown to admins only.
    public let url: String
    /// Its status and those before.
    public var state: LocationState
    /// Which representation it holds.
    public let format: Format
    /// Its size in bytes, as declared or learned; nil until then.
    public let size: Int64?
    /// Its digests, as declared or learned.
    public let digests: DigestSet
    /// Those of its digests that nobody declared: a full read computed them.
    public let learned: Set<DigestAlgorithm>
    /// Whether it is known to hold its representation: size and identity digest are the representation's.
    public var isIdentified: Bool
    /// The operator's preference under the strategy `weighted`: higher is earlier.
    public var weight: Int
    /// The operator's class: all of a lower tier come before any of a higher one.
    public var tier: Int
    /// Free words of the operator.
    public var metadata: [String: String]
    /// What pinned the object when it was last read in full, or when it was probed if it never was; nil if nothing did.
    public var validator: Validator?
    /// Whether it contributed to a failed proof and has not been cleared since.
    public var isAccused: Bool
    /// When a read of it alone last matched the identity digest.
    public var provenAt: Date?
    /// When it is due to be read again without anybody asking; nil when no time is set.
    public var nextReadAt: Date?
    /// How many reads of it in a row came to nothing or to other content.
    public var failedReads: Int
    /// When it is forgotten for good, if it is marked for deletion.
    public var expiresAt: Date?
    /// When it was registered.
    public let createdAt: Date

    /// A location with every property given.
    public init(
        id: LocationID, image: ImageID, backend: BackendID, path: String, url: String, state: LocationState = LocationState(),
        format: Format, size: Int64?, digests: DigestSet, learned: Set<DigestAlgorithm> = [], isIdentified: Bool = true,
        weight: Int = 0, tier: Int = 0, metadata: [String: String] = [:], validator: Validator? = nil,
        isAccused: Bool = false, provenAt: Date? = nil, nextReadAt: Date? = nil, failedReads: Int = 0,
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
        self.learned = learned
        self.isIdentified = isIdentified
        self.weight = weight
        self.tier = tier
        self.metadata = metadata
        self.validator = validator
        self.isAccused = isAccused
        self.provenAt = provenAt
        self.nextReadAt = nextReadAt
        self.failedReads = failedReads
        self.expiresAt = expiresAt
        self.createdAt = createdAt
    }

    /// What it holds: of one representation, any location gives the same bytes.
    public var representation: Representation.Name { Representation.Name(image: image, format: format) }

    /// Whether a range can be served from it without the digests of chunks: it was read in full, its content matched, nothing has
    /// spoken against it since, and its validator tells whether it is still the object that was read.
    public var servesVerifiedRanges: Bool {
        state.status.serves && isIdentified && provenAt != nil && validator != nil && !isAccused
    }
}
