import NetworkAddress
import Testing

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
