import Glibc

/// The IPv4 or IPv6 address of a peer, without port and zone.
package struct PeerAddress: Sendable, Hashable, CustomStringConvertible {
    /// The 4 or 16 bytes in network order.
    package let bytes: [UInt8]

    /// Parses `192.0.2.1` or `2001:db8::1`; nil for names and other spellings of IPv4 such as `127.1`.
    package init?(_ text: String) {
        var four = in_addr()
        var sixteen = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            bytes = withUnsafeBytes(of: four) { Array($0) }
        } else if inet_pton(AF_INET6, text, &sixteen) == 1 {
            bytes = withUnsafeBytes(of: sixteen) { Array($0) }
        } else {
            return nil
        }
    }

    /// Reads a socket address; nil for anything but IPv4 and IPv6.
    /// - Parameter length: the number of bytes behind the pointer.
    init?(_ address: UnsafePointer<sockaddr>?, length: Int) {
        guard let address else { return nil }
        switch Int32(address.pointee.sa_family) {
        case AF_INET where length >= MemoryLayout<sockaddr_in>.size:
            bytes = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self).sin_addr.bytes
        case AF_INET6 where length >= MemoryLayout<sockaddr_in6>.size:
            bytes = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in6.self).sin6_addr.bytes
        default: return nil
        }
    }

    private init(four bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

    /// Whether the address has 16 bytes.
    package var isIPv6: Bool { bytes.count == 16 }

    /// The IPv4 addresses embedded in this IPv6 address, to which its packets may be forwarded.
    var embedded: [PeerAddress] {
        guard isIPv6 else { return [] }
        let last = PeerAddress(four: bytes[12...])
        switch (bytes[0], bytes[1], bytes[2], bytes[3]) {
        // ::a.b.c.d (RFC 4291 section 2.5.5.1; :: and ::1 are none), ::ffff:a.b.c.d (2.5.5.2), ::ffff:0:a.b.c.d (RFC 2765 section 2.1).
        case (0, 0, 0, 0) where bytes[..<8].allSatisfy({ $0 == 0 }):
            let isPlain = bytes[8..<12].allSatisfy { $0 == 0 } && bytes[12] != 0
            let isMapped = bytes[8..<10].allSatisfy { $0 == 0 } && bytes[10..<12].allSatisfy { $0 == 0xFF }
            let isTranslated = bytes[8..<10].allSatisfy { $0 == 0xFF } && bytes[10..<12].allSatisfy { $0 == 0 }
            return isPlain || isMapped || isTranslated ? [last] : []
        // NAT64's well-known prefix, 64:ff9b::/96 (RFC 6052).
        case (0, 0x64, 0xFF, 0x9B) where bytes[4] == 0 && bytes[5] == 0: return [last]
        // NAT64's local prefix, 64:ff9b:1::/48 (RFC 8215). Each prefix length in use has its own position for the address (RFC
        // 6052 section 2.2). An address that begins with 0 is the padding of another length.
        case (0, 0x64, 0xFF, 0x9B):
            let places = [bytes[6..<8] + bytes[9..<11], bytes[7..<8] + bytes[9..<12], bytes[9..<13], bytes[12...]]
            return places.filter { $0.first != 0 }.map { PeerAddress(four: $0) }
        // 6to4, 2002::/16 (RFC 3056).
        case (0x20, 0x02, _, _): return [PeerAddress(four: bytes[2..<6])]
        // Teredo, 2001::/32 (RFC 4380): the server's address, and the client's with all bits inverted.
        case (0x20, 0x01, 0, 0): return [PeerAddress(four: bytes[4..<8]), PeerAddress(four: bytes[12...].map { ~$0 })]
        default: return []
        }
    }

    /// The canonical text (RFC 5952 for IPv6).
    package var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        _ = inet_ntop(isIPv6 ? AF_INET6 : AF_INET, bytes, &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension in_addr {
    fileprivate var bytes: [UInt8] { withUnsafeBytes(of: self) { Array($0) } }
}

extension in6_addr {
    fileprivate var bytes: [UInt8] { withUnsafeBytes(of: self) { Array($0) } }
}
