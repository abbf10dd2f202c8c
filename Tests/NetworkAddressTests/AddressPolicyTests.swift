import Testing

@testable import NetworkAddress

@Suite struct AddressPolicyTests {
    static func classOf(_ text: String) throws -> AddressClass? {
        AddressPolicy().refusal(of: try #require(IPAddress(text)))
    }

    @Test(
        "Every special address has its class",
        arguments: [
            ("127.0.0.1", .loopback), ("127.255.255.254", .loopback), ("::1", .loopback), ("169.254.0.1", .linkLocal),
            ("169.254.255.255", .linkLocal), ("fe80::1", .linkLocal), ("febf::1", .linkLocal), ("0.0.0.0", .unspecified),
            ("0.1.2.3", .unspecified), ("::", .unspecified), ("224.0.0.1", .multicast), ("239.255.255.255", .multicast),
            ("240.0.0.1", .multicast), ("255.255.255.255", .multicast), ("ff02::1", .multicast),
            ("169.254.169.254", .metadata), ("fd00:ec2::254", .metadata), ("100.100.100.200", .metadata),
        ] as [(String, AddressClass)])
    func everySpecialAddressHasItsClass(text: String, expected: AddressClass) throws {
        #expect(try Self.classOf(text) == expected)
    }

    @Test(
        "An ordinary address has no class",
        arguments: [
            "10.0.0.1", "172.16.0.1", "192.168.1.1", "8.8.8.8", "126.255.255.255", "128.0.0.1", "169.253.255.255",
            "169.255.0.0",
            "223.255.255.255", "1.0.0.0", "2001:db8::1", "fd00::1", "fec0::1", "fe7f::1", "2001:db8::127.0.0.1", "::1:0:0:1",
        ])
    func anOrdinaryAddressHasNoClass(text: String) throws {
        #expect(try Self.classOf(text) == nil)
    }

    @Test(
        "An IPv6 address has the class of the IPv4 address it embeds",
        arguments: [
            ("::ffff:127.0.0.1", .loopback), ("::127.0.0.1", .loopback), ("::ffff:0:127.0.0.1", .loopback),
            ("::ffff:169.254.169.254", .metadata), ("::ffff:0.0.0.0", .unspecified), ("64:ff9b::7f00:1", .loopback),
            ("64:ff9b::a9fe:a9fe", .metadata), ("64:ff9b:1::7f00:1", .loopback), ("64:ff9b:1:7f00:0:100::", .loopback),
            ("64:ff9b:1:7f:00:01::", .loopback), ("64:ff9b:1::7f:0:100:0", .loopback), ("2002:7f00:1::", .loopback),
            ("2002:a9fe:101::5", .linkLocal), ("2001:0:0a00:1::80ff:fffe", .loopback),
        ] as [(String, AddressClass)])
    func anIPv6AddressHasTheClassOfItsIPv4Address(text: String, expected: AddressClass) throws {
        #expect(try Self.classOf(text) == expected)
    }

    @Test(
        "An IPv6 address that embeds an ordinary address has no class",
        arguments: [
            "::ffff:10.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::a00:1", "2002:a00:1::", "2001:0:0a00:1::f5ff:fffe",
            "64:ff9c::7f00:1",
        ])
    func anEmbeddedOrdinaryAddressHasNoClass(text: String) throws {
        #expect(try Self.classOf(text) == nil)
    }

    @Test("The class of an address does not hide what it holds inside")
    func theClassOfAnAddressDoesNotHideWhatItHoldsInside() throws {
        let address = try #require(IPAddress("2001:0:7f00:1::5601:5601"))
        #expect(AddressPolicy(allowing: [.loopback]).refusal(of: address) == .metadata)
    }

    @Test(
        "Other spellings are no addresses",
        arguments: ["127.1", "0x7f.0.0.1", "2130706433", "localhost", "[::1]", "", "1.2.3.4.5", "127.0.0.1 "])
    func otherSpellingsAreNoAddresses(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test("A class of addresses is allowed only when it is named", arguments: AddressClass.allCases)
    func aClassIsAllowedOnlyWhenItIsNamed(allowed: AddressClass) throws {
        let samples: [AddressClass: String] = [
            .loopback: "127.0.0.1", .linkLocal: "fe80::1", .unspecified: "::", .multicast: "ff02::1",
            .metadata: "169.254.169.254",
        ]
        let policy = AddressPolicy(allowing: [allowed])
        for (sample, text) in samples {
            let address = try #require(IPAddress(text))
            #expect(policy.refusal(of: address) == (sample == allowed ? nil : sample))
            #expect(AddressPolicy().refusal(of: address) == sample)
        }
    }

    @Test(
        "An address that the operator configured is allowed, and no other one with it",
        arguments: [
            ("127.0.0.1", "127.0.0.1", nil), ("127.0.0.1", "127.0.0.2", .loopback), ("[::1]", "::1", nil),
            ("[0:0:0:0:0:0:0:1]", "::1", nil), ("[::1]", "127.0.0.1", .loopback), ("localhost", "127.0.0.1", nil),
            ("LOCALHOST", "::1", nil), ("localhost", "169.254.1.1", .linkLocal), ("x.localhost", "127.0.0.1", .loopback),
            ("127.1", "127.0.0.1", .loopback), ("169.254.169.254", "169.254.169.254", nil),
            ("127.0.0.1", "::ffff:127.0.0.1", nil),
        ] as [(String, String, AddressClass?)])
    func anAddressThatTheOperatorWroteIsPermittedAndNothingElseByThat(host: String, peer: String, expected: AddressClass?)
        throws
    {
        let address = try #require(IPAddress(peer))
        #expect(AddressPolicy().permitting(host: host).refusal(of: address) == expected)
    }
}
