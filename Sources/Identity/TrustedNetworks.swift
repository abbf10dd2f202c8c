package import NetworkAddress

/// From where callers are trusted beside what their token says (`auth.trusted_networks`).
package struct TrustedNetworks: Sendable, Equatable {
    /// Callers in there are trusted.
    package let networks: [IPNetwork]
    /// The servers in front of this one, whose `X-Forwarded-For` is believed.
    package let proxies: [IPNetwork]

    /// Networks and proxies; without either, nobody is trusted for where they are.
    package init(networks: [IPNetwork] = [], proxies: [IPNetwork] = []) {
        self.networks = networks
        self.proxies = proxies
    }

    /// Whether whoever sent a request is in one of the networks.
    /// - Parameters:
    ///   - peer: the other end of the connection, as the system shows it.
    ///   - forwardedFor: the values of all `X-Forwarded-For` fields, in their order.
    package func hold(peer: String?, forwardedFor: [String]) -> Bool {
        guard !networks.isEmpty, let client = client(peer: peer, forwardedFor: forwardedFor) else { return false }
        return networks.contains { $0.contains(client) }
    }

    /// Where a request came from: the last hop that is no proxy of ours. What stands before it was written by somebody who is not
    /// believed.
    package func client(peer: String?, forwardedFor: [String]) -> IPAddress? {
        guard let peer = peer.flatMap({ IPAddress($0) }) else { return nil }
        guard isProxy(peer) else { return peer }
        // A proxy of ours that does not say for whom it asks is no client: nobody knows who is behind it.
        var client: IPAddress?
        for hop in forwardedFor.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }).reversed() {
            guard let address = Self.address(ofHop: hop) else { return nil }
            client = address
            if !isProxy(address) { break }
        }
        return client
    }

    /// Whether the other end of a connection is one of the proxies.
    package func isProxy(_ peer: String?) -> Bool { peer.flatMap { IPAddress($0) }.map(isProxy) ?? false }

    private func isProxy(_ address: IPAddress) -> Bool { proxies.contains { $0.contains(address) } }

    /// An address as proxies write it, some of them with a port or in brackets.
    private static func address(ofHop hop: Substring) -> IPAddress? {
        let text = hop.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") { return IPAddress(text[..<end].dropFirst()) }
        if text.count(where: { $0 == ":" }) == 1 { return IPAddress(text.prefix { $0 != ":" }) }
        return IPAddress(text)
    }
}

extension Caller {
    /// The same caller with the role trusted beside their own. Who may nothing still may nothing: a network is no login.
    package var trusted: Caller {
        has(.reader) ? Caller(user: user, project: project, roles: roles.union([.trusted])) : self
    }
}
