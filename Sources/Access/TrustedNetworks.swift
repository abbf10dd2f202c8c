package import NetworkAddress

/// The networks whose callers are trusted in addition to their token's roles (`auth.trusted_networks`).
package struct TrustedNetworks: Sendable, Equatable {
    /// The networks of trusted callers.
    package let networks: [IPNetwork]
    /// The proxies in front of this server, whose `X-Forwarded-For` is trusted.
    package let proxies: [IPNetwork]

    /// Creates the networks; without any, no caller is trusted for its address.
    package init(networks: [IPNetwork] = [], proxies: [IPNetwork] = []) {
        self.networks = networks
        self.proxies = proxies
    }

    /// Whether the sender of a request is in one of the networks.
    /// - Parameters:
    ///   - peer: the peer address of the connection.
    ///   - forwardedFor: the values of all `X-Forwarded-For` fields, in order.
    package func hold(peer: String?, forwardedFor: [String]) -> Bool {
        guard !networks.isEmpty, let client = client(peer: peer, forwardedFor: forwardedFor) else { return false }
        return networks.contains { $0.contains(client) }
    }

    /// The client of a request: the last hop that is not a trusted proxy. Earlier hops may be forged.
    package func client(peer: String?, forwardedFor: [String]) -> IPAddress? {
        guard let peer = peer.flatMap({ IPAddress($0) }) else { return nil }
        guard isProxy(peer) else { return peer }
        // A trusted proxy that does not state its client is not the client itself: the client is unknown.
        var client: IPAddress?
        for hop in forwardedFor.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }).reversed() {
            guard let address = Self.address(ofHop: hop) else { return nil }
            client = address
            if !isProxy(address) { break }
        }
        return client
    }

    /// Whether the peer of a connection is one of the proxies.
    package func isProxy(_ peer: String?) -> Bool { peer.flatMap { IPAddress($0) }.map(isProxy) ?? false }

    private func isProxy(_ address: IPAddress) -> Bool { proxies.contains { $0.contains(address) } }

    /// An address as proxies write it, optionally with a port or in brackets.
    private static func address(ofHop hop: Substring) -> IPAddress? {
        let text = hop.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") { return IPAddress(text[..<end].dropFirst()) }
        if text.count(where: { $0 == ":" }) == 1 { return IPAddress(text.prefix { $0 != ":" }) }
        return IPAddress(text)
    }
}

extension Caller {
    /// The same caller with the role trusted added. A caller without rights gets none: a network is not a login.
    package var trusted: Caller {
        has(.reader) ? Caller(user: user, project: project, roles: roles.union([.trusted])) : self
    }
}
