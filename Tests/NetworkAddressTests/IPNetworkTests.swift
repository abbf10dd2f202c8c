import Testing

@testable import NetworkAddress

@Suite struct IPNetworkTests {
    @Test(
        "An address lies in a network by its leading bits",
        arguments: [
            ("10.0.0.0/8", "10.255.255.255", true), ("10.0.0.0/8", "11.0.0.0", false), ("10.0.0.0/8", "9.255.255.255", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true), ("::ffff:10.0.0.0/104", "10.1.2.3", true), ("10.0.0.0/8", "a00::", false),
            ("192.0.2.128/25", "192.0.2.128", true), ("192.0.2.128/25", "192.0.2.127", false), ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false), ("0.0.0.0/0", "255.1.2.3", true), ("0.0.0.0/0", "::1", false),
            ("::/0", "2001:db8::1", true), ("::/0", "10.0.0.1", false), ("::/0", "::ffff:10.0.0.1", false),
            ("fd00::/8", "fdff:ffff::1", true), ("fd00::/8", "fc00::1", false), ("2001:db8::/33", "2001:db8:7fff::", true),
            ("2001:db8::/33", "2001:db8:8000::", false), ("::1", "::1", true), ("::1", "::2", false), ("::1", "0.0.0.1", false),
            ("fe80::/10", "fe80::1%eth0", true),
        ])
    func anAddressLiesInANetworkByItsLeadingBits(network: String, address: String, isInside: Bool) throws {
        let address = try #require(IPAddress(address))
        #expect(try IPNetwork(network).contains(address) == isInside)
    }

    @Test(
        "Text that is not a network is rejected with the reason",
        arguments: [
            ("", InvalidNetwork.noAddress), ("10.0.0/8", .noAddress), ("10.0.0.0.0", .noAddress), ("example.org/8", .noAddress),
            ("10.0.0.010", .noAddress), ("256.0.0.0/8", .noAddress), (" 10.0.0.0/8", .noAddress), ("10.0.0.0/8/8", .noAddress),
            ("fe80::1%eth0", .noAddress), ("12345::/8", .noAddress), ("10.0.0.0/", .noLength(longest: 32)),
            ("10.0.0.0/33", .noLength(longest: 32)), ("10.0.0.0/-1", .noLength(longest: 32)),
            ("10.0.0.0/+8", .noLength(longest: 32)), ("10.0.0.0/255.0.0.0", .noLength(longest: 32)),
            ("fd00::/129", .noLength(longest: 128)), ("10.1.0.0/8", .bitsBeyondLength), ("192.0.2.129/25", .bitsBeyondLength),
            ("fd00::1/8", .bitsBeyondLength), ("::ffff:0:0/90", .bitsBeyondLength),
        ])
    func textThatIsNoNetworkIsRejected(text: String, problem: InvalidNetwork) {
        #expect(throws: problem) { try IPNetwork(text) }
    }

    @Test(
        "An address has one spelling",
        arguments: [
            ("10.0.0.1", "10.0.0.1"), ("::ffff:10.0.0.1", "10.0.0.1"), ("2001:DB8:0:0::1", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
        ])
    func anAddressHasOneSpelling(text: String, spelling: String) {
        #expect(IPAddress(text)?.description == spelling)
    }

    @Test(
        "A network that is wide enough to include strangers is vast",
        arguments: [
            ("0.0.0.0/0", true), ("128.0.0.0/1", true), ("10.0.0.0/7", true), ("10.0.0.0/8", false), ("10.0.0.1", false),
            ("::/0", true), ("2000::/3", true), ("2000::/15", true), ("2001::/16", false), ("fc00::/7", false),
            ("fc00::/6", true), ("fd00::/8", false), ("fe80::/10", false), ("fe80::/9", true), ("::1", false),
        ])
    func vastNetworks(text: String, isVast: Bool) throws { #expect(try IPNetwork(text).isVast == isVast) }

    @Test("An address equals its IPv4-mapped form")
    func anAddressEqualsItsMappedForm() {
        #expect(IPAddress("10.0.0.1") == IPAddress("::ffff:10.0.0.1"))
        #expect(IPAddress("::ffff:a00:1") == IPAddress("10.0.0.1"))
        #expect(IPAddress("10.0.0.1") != IPAddress("::10.0.0.1"))
        for text in ["", "localhost", "1.2.3", "::g", "1:2", "127.0.0.1:80", "[::1]"] { #expect(IPAddress(text) == nil) }
    }
}

@Suite struct IPAddressKindTests {
    @Test(
        "Loopback is 127.0.0.0/8 and ::1, mapped or not",
        arguments: [
            ("127.0.0.1", true), ("127.255.255.255", true), ("::1", true), ("::ffff:127.0.0.1", true), ("128.0.0.1", false),
            ("0.0.0.0", false), ("::", false), ("::2", false), ("1::1", false), ("10.0.0.1", false), ("::ffff:10.0.0.1", false),
        ])
    func loopback(text: String, isLoopback: Bool) throws {
        #expect(try #require(IPAddress(text)).isLoopback == isLoopback)
    }

    @Test("A subscriber is one IPv4 address or an IPv6 network of 64 bits")
    func subscribers() throws {
        func subscriber(_ text: String) throws -> IPAddress { try #require(IPAddress(text)).subscriber }
        #expect(try subscriber("192.0.2.1") == IPAddress("192.0.2.1"))
        #expect(try subscriber("::ffff:192.0.2.1") == IPAddress("192.0.2.1"))
        #expect(try subscriber("2001:db8:1:2:3:4:5:6") == IPAddress("2001:db8:1:2::"))
        #expect(try subscriber("2001:db8:1:2::1") == subscriber("2001:db8:1:2:ffff::"))
        #expect(try subscriber("2001:db8:1:3::1") != subscriber("2001:db8:1:2::1"))
    }
}
