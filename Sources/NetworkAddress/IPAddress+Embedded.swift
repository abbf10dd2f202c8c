extension IPAddress {
    /// The 4 bytes of an IPv4 address or the 16 bytes of an IPv6 address, in network order.
    var shortest: [UInt8] { isFour ? Array(bytes.suffix(4)) : bytes }

    /// The IPv4 addresses embedded in this IPv6 address, to which a translator or a tunnel may forward its packets.
    var embedded: [IPAddress] {
        // An IPv4-mapped address (RFC 4291 section 2.5.5.2) is the IPv4 address itself.
        guard !isFour else { return [] }
        switch (bytes[0], bytes[1], bytes[2], bytes[3]) {
        // ::a.b.c.d (RFC 4291 section 2.5.5.1), except :: and ::1; ::ffff:0:a.b.c.d (RFC 2765 section 2.1).
        case (0, 0, 0, 0) where bytes[..<8].allSatisfy({ $0 == 0 }):
            let isPlain = bytes[8..<12].allSatisfy { $0 == 0 } && bytes[12] != 0
            let isTranslated = bytes[8..<10].allSatisfy { $0 == 0xFF } && bytes[10..<12].allSatisfy { $0 == 0 }
            return isPlain || isTranslated ? Self.four(bytes[12...]) : []
        // NAT64's well-known prefix, 64:ff9b::/96 (RFC 6052).
        case (0, 0x64, 0xFF, 0x9B) where bytes[4] == 0 && bytes[5] == 0: return Self.four(bytes[12...])
        // NAT64's local prefix, 64:ff9b:1::/48 (RFC 8215). The position of the IPv4 address depends on the length of the prefix
        // in use (RFC 6052 section 2.2). A candidate that begins with 0 is the unused octet of another length.
        case (0, 0x64, 0xFF, 0x9B):
            let candidates = [bytes[6..<8] + bytes[9..<11], bytes[7..<8] + bytes[9..<12], bytes[9..<13], bytes[12...]]
            return candidates.filter { $0.first != 0 }.flatMap(Self.four)
        // 6to4, 2002::/16 (RFC 3056).
        case (0x20, 0x02, _, _): return Self.four(bytes[2..<6])
        // Teredo, 2001::/32 (RFC 4380): the server's address, and the client's address with all bits inverted.
        case (0x20, 0x01, 0, 0): return Self.four(bytes[4..<8]) + Self.four(bytes[12...].map { ~$0 }[...])
        default: return []
        }
    }

    private static func four(_ bytes: ArraySlice<UInt8>) -> [IPAddress] {
        IPAddress(networkOrder: Array(bytes)).map { [$0] } ?? []
    }
}
