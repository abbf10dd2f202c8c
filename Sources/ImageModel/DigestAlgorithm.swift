/// A digest algorithm that an image's bytes can be verified with.
package enum DigestAlgorithm: String, Sendable, Hashable, Codable, CaseIterable {
    case sha256, sha512, sha1, md5

    /// The length of a digest of this algorithm, in bytes.
    package var byteCount: Int {
        switch self {
        case .sha256: 32
        case .sha512: 64
        case .sha1: 20
        case .md5: 16
        }
    }

    /// Whether two contents with an equal digest can be made on purpose (RFC 6151, RFC 6194).
    package var isBroken: Bool { self == .sha1 || self == .md5 }

    /// The order in which a representation picks its identity digest, the best first.
    package static let byPreference: [DigestAlgorithm] = [.sha256, .sha512, .sha1, .md5]
}
