import ImageModel
import Integrity

/// The SHA-256 of a token, which is stored instead of the token, in files and in memory.
package struct TokenDigest: Sendable, Hashable, CustomStringConvertible {
    private let digest: Digest

    package init(of token: String) {
        let stream = DigestStream(.sha256)
        Array(token.utf8).withUnsafeBytes { stream.update($0) }
        digest = stream.finish()
    }

    /// Parses `sha256:` and 64 hexadecimal digits; nil for anything else.
    init?(_ text: Substring) {
        guard text.hasPrefix("sha256:"), let digest = try? Digest(.sha256, hex: String(text.dropFirst(7))) else { return nil }
        self.digest = digest
    }

    /// The text in a tokens file: `sha256:9f86…`, complete.
    package var description: String { digest.description }

    /// Compares two digests in constant time.
    func matches(_ other: TokenDigest) -> Bool {
        var difference: UInt8 = 0
        for (left, right) in zip(digest.bytes, other.digest.bytes) { difference |= left ^ right }
        return difference == 0
    }
}
