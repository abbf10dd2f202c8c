/// The classes of addresses that no backend on another machine can have, or that serve a machine's own secrets.
package enum AddressClass: String, Sendable, Hashable, CaseIterable {
    /// This machine: 127.0.0.0/8 and ::1.
    case loopback
    /// The local link: 169.254.0.0/16 and fe80::/10.
    case linkLocal = "link-local"
    /// The unspecified addresses, which the system treats as this machine: 0.0.0.0/8 and ::.
    case unspecified
    /// Multicast groups, 224.0.0.0/4 and ff00::/8, and the reserved 240.0.0.0/4 with the broadcast address.
    case multicast
    /// The services at which clouds give their machines metadata and credentials.
    case metadata

    /// The well-known addresses of cloud metadata services (AWS, Azure, Google, Alibaba, Oracle).
    private static let metadataAddresses = Set(
        [
            "169.254.169.254", "169.254.170.2", "169.254.170.23", "168.63.129.16", "100.100.100.200", "192.0.0.192",
            "fd00:ec2::254",
            "fd00:ec2::23", "fd20:ce::254",
        ].compactMap { IPAddress($0) })

    /// The class of the address itself, without embedded ones; nil for all others, including private networks.
    init?(ofPlain address: IPAddress) {
        let bytes = address.shortest
        if Self.metadataAddresses.contains(address) {
            self = .metadata
        } else if !address.isFour {
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

    /// The classes of an address and of the IPv4 addresses embedded in it; empty for an ordinary address.
    static func all(of address: IPAddress) -> [AddressClass] {
        ([address] + address.embedded).compactMap { AddressClass(ofPlain: $0) }
    }
}
