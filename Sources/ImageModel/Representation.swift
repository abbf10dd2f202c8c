package import FoundationEssentials

/// One exact byte sequence of an image. Its locations are interchangeable at any byte; those of another one never are.
package struct Representation: Sendable, Hashable {
    /// The image it represents.
    package let image: ImageID
    /// What tells it from the image's other representations.
    package let format: Format
    /// Its length in bytes, from 0.
    package let size: Int64
    /// The digest that verifies it; with `size`, its identity.
    package let identity: Digest
    /// Whether a verification of the whole failed and not every contributor has been cleared or quarantined since.
    package var isOnIntegrityHold: Bool
    /// When a verification of the whole last failed; nil if none ever did.
    package var heldSince: Date?
    /// Whether two of its locations agree with each other against its declared digest: the declaration is wrong, or both are.
    package var hasDigestConflict: Bool

    /// A representation with every property given.
    package init(
        image: ImageID, format: Format, size: Int64, identity: Digest, isOnIntegrityHold: Bool = false,
        heldSince: Date? = nil, hasDigestConflict: Bool = false
    ) {
        self.image = image
        self.format = format
        self.size = size
        self.identity = identity
        self.isOnIntegrityHold = isOnIntegrityHold
        self.heldSince = heldSince
        self.hasDigestConflict = hasDigestConflict
    }

    /// For how many seconds after a failed verification no ranges are served, even when the hold is settled sooner: whoever was cut
    /// off holds wrong bytes, and would complete a corrupt file by resuming it.
    package static let rangePause: TimeInterval = 3600

    /// Whether ranges may be served, or the whole alone.
    package func servesRanges(at now: Date) -> Bool {
        guard !isOnIntegrityHold else { return false }
        return heldSince.map { now.timeIntervalSince($0) >= Self.rangePause } ?? true
    }

    /// What tells a representation from all others.
    package struct Name: Sendable, Hashable {
        /// The image it represents.
        package let image: ImageID
        /// What tells it from the image's other representations.
        package let format: Format
    }

    /// What tells it from all others.
    package var name: Name { Name(image: image, format: format) }

    /// The strong entity tag (RFC 9110 section 8.8.3), made of the identity digest, quotes included.
    package var entityTag: String { "\"\(identity.algorithm.rawValue)-\(identity.hex)\"" }
}
