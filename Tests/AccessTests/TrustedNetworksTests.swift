import Access
import NetworkAddress
import Testing

@Suite struct TrustedNetworksTests {
    private static func networks() throws -> TrustedNetworks {
        TrustedNetworks(
            networks: [try IPNetwork("10.0.0.0/8"), try IPNetwork("fd00::/8")],
            proxies: [try IPNetwork("192.0.2.1"), try IPNetwork("10.9.0.0/16")])
    }

    @Test(
        "The last trusted hop decides where a caller is",
        arguments: [
            ("10.1.2.3", [], true), ("::ffff:10.1.2.3", [], true), ("fd00::1", [], true), ("11.0.0.1", [], false),
            // A peer that is no trusted proxy may write anything.
            ("11.0.0.1", ["10.1.2.3"], false), ("10.1.2.3", ["11.0.0.1"], true),
            // The proxy names its client; what that client wrote before does not count.
            ("192.0.2.1", ["10.1.2.3"], true), ("::ffff:192.0.2.1", ["10.1.2.3"], true), ("192.0.2.1", ["11.0.0.1"], false),
            ("192.0.2.1", ["10.1.2.3, 11.0.0.1"], false), ("192.0.2.1", ["11.0.0.1, 10.1.2.3"], true),
            ("192.0.2.1", ["10.1.2.3", "11.0.0.1"], false), ("192.0.2.1", ["11.0.0.1", "10.1.2.3"], true),
            // Two trusted proxies, one behind the other.
            ("192.0.2.1", ["11.0.0.1, 10.9.0.1"], false), ("192.0.2.1", ["10.1.2.3,10.9.0.1"], true),
            ("192.0.2.1", ["10.1.2.3, 11.0.0.1, 10.9.0.1"], false), ("192.0.2.1", ["10.9.0.1"], true),
            // A proxy inside a trusted network is not itself a trusted client.
            ("10.9.0.1", [], false), ("192.0.2.1", [], false), ("192.0.2.1", [""], false), ("192.0.2.1", ["unknown"], false),
            ("192.0.2.1", ["10.1.2.3, "], false), ("192.0.2.1", ["10.1.2.3, nonsense"], false),
            ("192.0.2.1", ["10.1.2.3:4711"], true), ("192.0.2.1", ["[fd00::1]:4711"], true), ("192.0.2.1", ["[fd00::1]"], true),
            (nil, ["10.1.2.3"], false), ("nonsense", [], false),
        ] as [(String?, [String], Bool)])
    func theLastTrustedHopDecidesWhereACallerIs(peer: String?, forwardedFor: [String], isTrusted: Bool) throws {
        #expect(try Self.networks().hold(peer: peer, forwardedFor: forwardedFor) == isTrusted)
    }

    @Test("Without networks no caller is trusted for its address")
    func withoutNetworksNoCallerIsTrustedForItsAddress() throws {
        #expect(!TrustedNetworks().hold(peer: "10.1.2.3", forwardedFor: []))
    }

    @Test("A network adds the trusted role to a token's roles and admits no caller by itself")
    func aNetworkAddsARoleAndAdmitsNoCaller() {
        func caller(_ roles: Set<Caller.Role>) -> Caller { Caller(user: "u", project: "p", roles: roles) }
        #expect(caller([.reader]).trusted == caller([.reader, .trusted]))
        #expect(caller([.member]).trusted == caller([.member, .trusted]))
        #expect(caller([.service]).trusted.has(.service) && caller([.service]).trusted.has(.trusted))
        #expect(caller([]).trusted == caller([]))
        #expect(Caller.everybody.trusted == .everybody)
    }
}
