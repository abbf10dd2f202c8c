/// The digests known of one content: at most one of each algorithm.
package struct DigestSet: Sendable, Hashable {
    private var byAlgorithm: [DigestAlgorithm: Digest] = [:]

    /// The set of the given digests; of two with one algorithm the later stays.
    package init(_ digests: [Digest] = []) {
        for digest in digests { byAlgorithm[digest.algorithm] = digest }
    }

    /// The digest of one algorithm, if known.
    package subscript(algorithm: DigestAlgorithm) -> Digest? {
        get { byAlgorithm[algorithm] }
        set { byAlgorithm[algorithm] = newValue }
    }

    /// Whether no digest is known.
    package var isEmpty: Bool { byAlgorithm.isEmpty }

    /// All digests, the one to identify the content by first.
    package var all: [Digest] { DigestAlgorithm.byPreference.compactMap { byAlgorithm[$0] } }

    /// The digest that identifies the content: sha256 if there, else sha512, else sha1, else md5.
    package var identity: Digest? { all.first }
}
