/// Which addresses may be connected to: the door behind name resolution. It is asked with the address that a connection would go
/// to or goes to, so nothing that a name server says later can get round it.
package struct AddressPolicy: Sendable, Hashable {
    /// The classes that may be connected to beside the ordinary addresses.
    private var classes: Set<AddressClass>
    /// Single addresses that may be connected to, whatever their class.
    private var addresses: Set<PeerAddress> = []

    /// A policy that lets through ordinary addresses and the classes given.
    package init(allowing classes: Set<AddressClass> = []) { self.classes = classes }

    /// The same, for a host that the operator wrote into the configuration: an address written there is meant, and `localhost`
    /// means loopback. What another name leads to is not permitted by its being written.
    /// - Parameter host: as a URL has it, an IPv6 address in brackets.
    package func permitting(host: String) -> AddressPolicy {
        var policy = self
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if let address = PeerAddress(isBracketed ? String(host.dropFirst().dropLast()) : host) {
            policy.addresses.insert(address)
        } else if host.lowercased() == "localhost" {
            policy.classes.insert(.loopback)
        }
        return policy
    }

    /// Why an address may not be connected to: its class; nil if it may.
    package func refusal(of address: PeerAddress) -> AddressClass? {
        addresses.contains(address) ? nil : AddressClass.all(of: address).first { !classes.contains($0) }
    }
}
