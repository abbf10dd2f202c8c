public import FoundationEssentials

/// One exact byte sequence of an image. Its locations are interchangeable at any byte; those of another one never are.
public struct Representation: Sendable, Hashable {
    /// The image it represents.
    public let image: ImageID
    /// What tells it from the image's other representations.
    public let format: Format
    /// Its length in bytes, from 0.
    public let size: Int64
    /// The digest that proves it; with `size`, its identity.
    public let identity: Digest
    /// Whether a proof of the whole failed and not every contributor has been cleared or quarantined since.
    public var isInDoubt: Bool
    /// When a proof of the whole last failed; nil if none ever did.
    public var doubtedAt: Date?
    /// Whether two of its locations agree with each other against its declared digest: the declaration is wrong, or both are.
    public var isDistrusted: Bool

    /// A representation with every property given.
    public init(
        image: ImageID, format: Format, size: Int64, identity: Digest, isInDoubt: Bool = false,
        doubtedAt: Date? = nil, isDistrusted: Bool = false
    ) {
        self.image = image
        self.format = format
        self.size = size
        self.identity = identity
        self.isInDoubt = isInDoubt
        self.doubtedAt = doubtedAt
        self.isDistrusted = isDistrusted
    }

    /// For how many seconds after a failed proof no ranges are served, even when the doubt is settled sooner: whoever was cut
    /// off holds wrong bytes, and would complete a corrupt file by resuming it.
    public static let rangePause: TimeInterval = 3600

    /// Whether ranges may be served, or the whole alone.
    public func servesRanges(at now: Date) -> Bool {
        guard !isInDoubt else { return false }
        return doubtedAt.map { now.timeIntervalSince($0) >= Self.rangePause } ?? true
    }

    /// What tells a representation from all others.
    public struct Name: Sendable, Hashable {
        /// The image it represents.
        public let image: ImageID
        /// What tells it from the image's other representations.
        public let format: Format
    }

    /// What tells it from all others.
    public var name: Name { Name(image: image, format: format) }

    /// The strong entity tag (RFC 9110 section 8.8.3), made of the identity digest, quotes included.
    public var entityTag: String { "\"\(identity.algorithm.rawValue)-\(identity.hex)\"" }
}
