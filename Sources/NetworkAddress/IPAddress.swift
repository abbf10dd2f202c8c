import Glibc

/// An IPv4 or IPv6 address.
///
/// An IPv4 address equals its IPv4-mapped form (RFC 4291 section 2.5.5.2): which of them a socket reports depends on how the
/// server listens, not on the peer.
package struct IPAddress: Sendable, Hashable {
    /// The 16 bytes in network order; an IPv4 address in its mapped form.
    let bytes: [UInt8]

    private static let mappedPrefix: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]

    /// Parses `192.0.2.1` or `2001:db8::1`; nil for anything else. The zone of an IPv6 address (`fe80::1%eth0`) is dropped.
    package init?(_ text: some StringProtocol) {
        let isSix = text.contains(":")
        let literal = isSix ? String(text.prefix { $0 != "%" }) : String(text)
        var bytes = [UInt8](repeating: 0, count: isSix ? 16 : 4)
        guard inet_pton(isSix ? AF_INET6 : AF_INET, literal, &bytes) == 1 else { return nil }
        self.bytes = isSix ? bytes : Self.mappedPrefix + bytes
    }

    /// Creates an address from 4 or 16 bytes in network order; nil for any other number of bytes.
    package init?(networkOrder bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes.count == 4 ? Self.mappedPrefix + bytes : bytes
    }

    /// Whether it is an IPv4 address.
    package var isFour: Bool { bytes.starts(with: Self.mappedPrefix) }
}

extension IPAddress: CustomStringConvertible {
    /// The canonical text (RFC 5952), in dotted form for IPv4.
    package var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let raw = isFour ? Array(bytes.suffix(4)) : bytes
        guard inet_ntop(isFour ? AF_INET : AF_INET6, raw, &text, socklen_t(text.count)) != nil else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension IPAddress {
    /// Whether it is a loopback address: 127.0.0.0/8 or ::1.
    package var isLoopback: Bool { isFour ? bytes[12] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes[15] == 1 }
}

extension IPAddress {
    /// The address that stands for one client: an IPv4 address itself, or the /64 network of an IPv6 address, since one machine
    /// may use all addresses of its /64.
    package var subscriber: IPAddress {
        isFour ? self : IPAddress(bytes: Array(bytes.prefix(8)) + [UInt8](repeating: 0, count: 8))
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }
}
