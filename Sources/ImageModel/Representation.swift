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
    /// Whether a proof of the whole failed and not every contributor has been cleared or quarantined since. Ranges are then not
    /// served, so that no client completes a corrupt file by resuming.
    public var isInDoubt: Bool

    /// A representation with every property given.
    public init(image: ImageID, format: Format, size: Int64, identity: Digest, isInDoubt: Bool = false) {
        self.image = image
        self.format = format
        self.size = size
        self.identity = identity
        self.isInDoubt = isInDoubt
    }

    /// The strong entity tag (RFC 9110 section 8.8.3), made of the identity digest, quotes included.
    public var entityTag: String { "\"\(identity.algorithm.rawValue)-\(identity.hex)\"" }
}
