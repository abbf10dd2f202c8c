/// An IP network in CIDR notation: `10.0.0.0/8`, `fd00::/8` (RFC 4632, RFC 4291 section 2.3).
///
/// An IPv6 network contains no IPv4 address, so `::/0` covers IPv6 only.
package struct IPNetwork: Sendable, Hashable {
    private let base: IPAddress
    /// The prefix length, in bits of 128.
    private let length: Int

    /// Parses a network, or a single address as a network of its own.
    /// - Throws: `InvalidNetwork` that names the problem.
    package init(_ text: String) throws(InvalidNetwork) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let base = IPAddress(parts[0]), !parts[0].contains("%") else { throw .noAddress }
        let isWrittenAsFour = !parts[0].contains(":")
        let longest = isWrittenAsFour ? 32 : 128
        var length = longest
        if parts.count == 2 {
            guard parts[1].allSatisfy(\.isNumber), let number = Int(parts[1]), number <= longest else {
                throw .noLength(longest: longest)
            }
            length = number
        }
        self.base = base
        self.length = isWrittenAsFour ? 96 + length : length
        // 10.1.0.0/8 may mean 10.0.0.0/8 or 10.1.0.0/16: trust must not depend on a guess.
        guard base.bytes == Self.cut(base.bytes, to: self.length) else { throw .bitsBeyondLength }
    }

    /// Whether the network contains an address.
    package func contains(_ address: IPAddress) -> Bool {
        address.isFour == base.isFour && Self.cut(address.bytes, to: length) == base.bytes
    }

    /// Whether the network is too large for one operator: larger than a /8 for IPv4, or than a /16 for IPv6, except unique
    /// local (fc00::/7) and link-local (fe80::/10) addresses.
    package var isVast: Bool {
        if base.isFour { return length < 96 + 8 }
        guard length < 16 else { return false }
        let first = base.bytes[0]
        return !(length >= 7 && first & 0xFE == 0xFC) && !(length >= 10 && first == 0xFE && base.bytes[1] & 0xC0 == 0x80)
    }

    /// Keeps the first `length` bits and clears the others.
    private static func cut(_ bytes: [UInt8], to length: Int) -> [UInt8] {
        bytes.enumerated().map { index, byte in
            let kept = max(0, min(8, length - index * 8))
            return byte & UInt8(truncatingIfNeeded: 0xFF00 >> kept)
        }
    }
}
