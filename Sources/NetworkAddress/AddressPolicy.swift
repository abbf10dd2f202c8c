/// The policy for addresses that may be connected to, enforced after name resolution. It checks the address of the actual
/// connection, so a second, different response of a name server can't bypass it.
package struct AddressPolicy: Sendable, Hashable {
    /// The allowed classes, in addition to ordinary addresses.
    private var classes: Set<AddressClass>
    /// Single allowed addresses, whatever their class.
    private var addresses: Set<IPAddress> = []

    /// Creates a policy that allows ordinary addresses and the given classes.
    package init(allowing classes: Set<AddressClass> = []) { self.classes = classes }

    /// A copy that also allows a host from the configuration. An address written there is allowed, and `localhost` allows
    /// loopback. The addresses that another name resolves to are not allowed by it.
    /// - Parameter host: the host as in a URL, an IPv6 address in brackets.
    package func permitting(host: String) -> AddressPolicy {
        var policy = self
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if !host.contains("%"), let address = IPAddress(isBracketed ? String(host.dropFirst().dropLast()) : host) {
            policy.addresses.insert(address)
        } else if host.lowercased() == "localhost" {
            policy.classes.insert(.loopback)
        }
        return policy
    }

    /// The class because of which an address is refused; nil if it is allowed.
    package func refusal(of address: IPAddress) -> AddressClass? {
        addresses.contains(address) ? nil : AddressClass.all(of: address).first { !classes.contains($0) }
    }
}
