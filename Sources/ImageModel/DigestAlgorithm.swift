/// An algorithm of digests that verify an image's bytes.
package enum DigestAlgorithm: String, Sendable, Hashable, Codable, CaseIterable {
    case sha256, sha512, sha1, md5

    /// The length of a digest in bytes.
    package var byteCount: Int {
        switch self {
        case .sha256: 32
        case .sha512: 64
        case .sha1: 20
        case .md5: 16
        }
    }

    /// The order in which a representation picks its identity digest, the best first.
    package static let byPreference: [DigestAlgorithm] = [.sha256, .sha512, .sha1, .md5]
}
