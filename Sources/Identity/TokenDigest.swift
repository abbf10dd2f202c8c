import ImageModel
import Integrity

/// The SHA-256 of a token: what is kept in its place, in files and in memory.
package struct TokenDigest: Sendable, Hashable, CustomStringConvertible {
    private let digest: Digest

    /// The digest of a token.
    package init(of token: String) {
        let stream = DigestStream(.sha256)
        Array(token.utf8).withUnsafeBytes { stream.update($0) }
        digest = stream.finish()
    }

    /// Reads `sha256:` and 64 hexadecimal digits; nil if it is something else.
    init?(_ text: Substring) {
        guard text.hasPrefix("sha256:"), let digest = try? Digest(.sha256, hex: String(text.dropFirst(7))) else { return nil }
        self.digest = digest
    }

    /// As it is written in a tokens file: `sha256:9f86…`, whole.
    package var description: String { digest.description }

    /// Whether both are the same, found out in a time that depends on neither.
    func matches(_ other: TokenDigest) -> Bool {
        var difference: UInt8 = 0
        for (left, right) in zip(digest.bytes, other.digest.bytes) { difference |= left ^ right }
        return difference == 0
    }
}
