/// The known digests of one content: at most one per algorithm.
package struct DigestSet: Sendable, Hashable {
    private var byAlgorithm: [DigestAlgorithm: Digest] = [:]

    /// Creates a set; of two digests with one algorithm the later one is kept.
    package init(_ digests: [Digest] = []) {
        for digest in digests { byAlgorithm[digest.algorithm] = digest }
    }

    package subscript(algorithm: DigestAlgorithm) -> Digest? {
        get { byAlgorithm[algorithm] }
        set { byAlgorithm[algorithm] = newValue }
    }

    package var isEmpty: Bool { byAlgorithm.isEmpty }

    /// All digests in order of preference.
    package var all: [Digest] { DigestAlgorithm.byPreference.compactMap { byAlgorithm[$0] } }

    /// The digest that identifies the content: sha256 if known, else sha512, else sha1, else md5.
    package var identity: Digest? { all.first }
}
