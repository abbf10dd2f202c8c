/// The digests known of one content: at most one of each algorithm.
public struct DigestSet: Sendable, Hashable {
    private var byAlgorithm: [DigestAlgorithm: Digest] = [:]

    /// The set of the given digests; of two with one algorithm the later stays.
    public init(_ digests: [Digest] = []) {
        for digest in digests { byAlgorithm[digest.algorithm] = digest }
    }

    /// The digest of one algorithm, if known.
    public subscript(algorithm: DigestAlgorithm) -> Digest? {
        get { byAlgorithm[algorithm] }
        set { byAlgorithm[algorithm] = newValue }
    }

    /// Whether no digest is known.
    public var isEmpty: Bool { byAlgorithm.isEmpty }

    /// All digests, the one to identify the content by first.
    public var all: [Digest] { DigestAlgorithm.byPreference.compactMap { byAlgorithm[$0] } }

    /// The digest that identifies the content: sha256 if there, else sha512, else sha1, else md5.
    public var identity: Digest? { all.first }
}
