import Glibc

/// An address of IP, version 4 or 6.
///
/// An IPv4 address and its IPv4-mapped form (RFC 4291 section 2.5.5.2) are one: which of them a socket shows depends on how the
/// server listens, not on who is there.
package struct IPAddress: Sendable, Hashable {
    /// 16 bytes in the order of the network; an IPv4 address in its mapped form.
    let bytes: [UInt8]

    private static let mappedPrefix: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]

    /// Reads `192.0.2.1` or `2001:db8::1`, the latter maybe with a zone (`fe80::1%eth0`), which is dropped; nil if it is neither.
    package init?(_ text: some StringProtocol) {
        let isSix = text.contains(":")
        let literal = isSix ? String(text.prefix { $0 != "%" }) : String(text)
        var bytes = [UInt8](repeating: 0, count: isSix ? 16 : 4)
        guard inet_pton(isSix ? AF_INET6 : AF_INET, literal, &bytes) == 1 else { return nil }
        self.bytes = isSix ? bytes : Self.mappedPrefix + bytes
    }

    /// Whether it is an address of version 4, mapped or not.
    package var isFour: Bool { bytes.starts(with: Self.mappedPrefix) }
}

extension IPAddress: CustomStringConvertible {
    /// The usual spelling (RFC 5952), an IPv4 address with dots.
    package var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let raw = isFour ? Array(bytes.suffix(4)) : bytes
        guard inet_ntop(isFour ? AF_INET : AF_INET6, raw, &text, socklen_t(text.count)) != nil else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension IPAddress {
    /// Whether it is this machine's own: 127.0.0.0/8 or ::1.
    package var isLoopback: Bool { isFour ? bytes[12] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes[15] == 1 }
}

extension IPAddress {
    /// What one client can take addresses from: an IPv4 address stands for itself, one of IPv6 for its network of 64 bits, of which a
    /// single machine may have all addresses.
    package var subscriber: IPAddress {
        isFour ? self : IPAddress(bytes: Array(bytes.prefix(8)) + [UInt8](repeating: 0, count: 8))
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }
}
