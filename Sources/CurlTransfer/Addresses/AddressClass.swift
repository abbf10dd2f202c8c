/// The kinds of addresses at which no backend of another machine can be, or where a machine's own secrets are served.
package enum AddressClass: String, Sendable, Hashable, CaseIterable {
    /// This machine itself: 127.0.0.0/8 and ::1.
    case loopback
    /// The wire that this machine is at: 169.254.0.0/16 and fe80::/10.
    case linkLocal = "link-local"
    /// No machine, which the system takes for this one: 0.0.0.0/8 and ::.
    case unspecified
    /// Groups of machines: 224.0.0.0/4 and ff00::/8; the reserved 240.0.0.0/4, broadcasts among it.
    case multicast
    /// Where clouds tell their machines who they are, with credentials.
    case metadata

    /// The well-known addresses of clouds' metadata and their kin (AWS, Azure, Google, Alibaba, Oracle).
    private static let metadataAddresses = Set(
        [
            "169.254.169.254", "169.254.170.2", "169.254.170.23", "168.63.129.16", "100.100.100.200", "192.0.0.192",
            "fd00:ec2::254",
            "fd00:ec2::23", "fd20:ce::254",
        ].compactMap { PeerAddress($0) })

    /// The class of the address itself; nil for all others, private networks among them.
    init?(ofPlain address: PeerAddress) {
        let bytes = address.bytes
        if Self.metadataAddresses.contains(address) {
            self = .metadata
        } else if address.isIPv6 {
            switch (bytes[0], bytes[1]) {
            case (0xFF, _): self = .multicast
            case (0xFE, 0x80...0xBF): self = .linkLocal
            case (0, 0) where bytes.dropLast().allSatisfy({ $0 == 0 }) && bytes[15] <= 1:
                self = bytes[15] == 1 ? .loopback : .unspecified
            default: return nil
            }
        } else {
            switch (bytes[0], bytes[1]) {
            case (127, _): self = .loopback
            case (169, 254): self = .linkLocal
            case (0, _): self = .unspecified
            case (224..., _): self = .multicast
            default: return nil
            }
        }
    }

    /// The classes of an address, and of the IPv4 addresses that it holds inside; none for an ordinary one.
    static func all(of address: PeerAddress) -> [AddressClass] {
        ([address] + address.embedded).compactMap { AddressClass(ofPlain: $0) }
    }
}
