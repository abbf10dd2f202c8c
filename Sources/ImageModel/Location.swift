package import FoundationEssentials

/// An object at a backend from which one representation of an image can be read.
package struct Location: Sendable, Hashable {
    package let id: LocationID
    package let image: ImageID
    /// The configured storage system that holds it.
    package let backend: BackendID
    /// The path relative to the backend's root, decoded, without a leading slash.
    package let path: String
    /// The URL it was registered with; shown to admins only.
    package let url: String
    /// The status, with the statuses it can return to.
    package var state: LocationState
    /// The format of the representation that it holds.
    package let format: Format
    /// The declared or computed size in bytes; nil while unknown.
    package let size: Int64?
    /// The declared or computed digests.
    package let digests: DigestSet
    /// The algorithms of the digests that were computed by a full read and not declared.
    package let computed: Set<DigestAlgorithm>
    /// Whether it is known to hold its representation: size and identity digest are the representation's.
    package var isIdentified: Bool
    /// The operator's preference under the strategy `weighted`; higher ones first.
    package var weight: Int
    /// The operator's tier: all locations of a lower tier precede those of a higher one.
    package var tier: Int
    /// Free-form metadata of the operator.
    package var metadata: [String: String]
    /// The validator of the last full read, or of the probe if there was no full read; nil if the server sent none.
    package var validator: Validator?
    /// Whether it contributed to a failed verification and has not been cleared since.
    package var isSuspect: Bool
    /// The time of the last read of it alone that matched the identity digest.
    package var verifiedAt: Date?
    /// The time at which maintenance will read it next; nil if none is set.
    package var nextReadAt: Date?
    /// The number of consecutive reads that failed or found other content.
    package var failedReads: Int
    /// The time at which its record is removed, if it is marked for deletion.
    package var expiresAt: Date?
    package let createdAt: Date

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

    /// The name of the representation that it holds: all locations of one representation have the same bytes.
    package var representation: Representation.Name { Representation.Name(image: image, format: format) }

    /// Whether ranges can be served from it without chunk digests: a full read matched, no later evidence contradicts it, and
    /// its validator detects a changed object.
    package var servesVerifiedRanges: Bool {
        state.status.serves && isIdentified && verifiedAt != nil && validator != nil && !isSuspect
    }
}

/// The validator that pins one location's object while it is read: an ETag or a date (http), a file's inode, mtime and ctime.
///
/// Two equal validators of one location mean the same bytes. Validators of different locations are unrelated.
///
/// Entity tags are compared weakly (RFC 9110 section 8.8.3.2): `W/"v"` equals `"v"`. A server or proxy that compresses on the
/// fly adds and removes the mark while the object stays the same.
package struct Validator: Sendable, Hashable, CustomStringConvertible {
    /// The driver's own text.
    package let text: String

    package init(_ text: String) { self.text = text }

    package var description: String { text }

    /// Compares without the mark of a weak entity tag, byte by byte: a server may distinguish canonically equivalent texts.
    package static func == (left: Validator, right: Validator) -> Bool { left.opaqueTag.elementsEqual(right.opaqueTag) }

    /// Hashes consistently with `==`.
    package func hash(into hasher: inout Hasher) { for byte in opaqueTag { hasher.combine(byte) } }

    /// The bytes of the text without the mark of a weak entity tag.
    private var opaqueTag: Substring.UTF8View {
        (text.hasPrefix("W/\"") || text.hasPrefix("w/\"") ? text.dropFirst(2) : text[...]).utf8
    }
}
