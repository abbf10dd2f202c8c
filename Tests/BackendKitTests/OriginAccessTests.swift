import BackendKit
import CurlTransfer
import NetworkAddress
import Testing

@Suite struct ServerAccessTests {
    static func addresses(_ access: OriginAccess, host: String) -> AddressPolicy? {
        var request = TransferRequest(source: .url("http://\(host)/"))
        access.apply(to: &request, host: host)
        return request.addresses
    }

    @Test("Every request has a door for its addresses")
    func everyRequestHasADoorForItsAddresses() throws {
        let loopback = try #require(IPAddress("127.0.0.1"))
        #expect(Self.addresses(OriginAccess(), host: "store")?.refusal(of: loopback) == .loopback)
        #expect(Self.addresses(OriginAccess(), host: "127.0.0.1")?.refusal(of: loopback) == nil)
        let open = OriginAccess(addresses: AddressPolicy(allowing: [.loopback]))
        #expect(Self.addresses(open, host: "store")?.refusal(of: loopback) == nil)
    }

    @Test("Behind a proxy the proxys host is the one that is meant")
    func behindAProxyTheProxysHostIsTheOneThatIsMeant() throws {
        let loopback = try #require(IPAddress("127.0.0.1"))
        func access(_ proxy: String) -> OriginAccess {
            OriginAccess(proxy: Proxy(url: "http://\(proxy):3128", host: proxy, credentials: nil))
        }
        #expect(Self.addresses(access("127.0.0.1"), host: "store")?.refusal(of: loopback) == nil)
        #expect(Self.addresses(access("proxy"), host: "127.0.0.1")?.refusal(of: loopback) == .loopback)
    }

    @Test("Only the backend's own server receives the client certificate")
    func onlyTheBackendsOwnServerReceivesTheCertificate() {
        let access = OriginAccess(
            authorities: "/ca", clientCertificate: ClientCertificate(certificateFile: "/c", keyFile: "/k", passphrase: nil))
        for isOwn in [true, false] {
            // A certificate that the request had before is removed.
            var request = TransferRequest(source: .url("https://store/"))
            request.clientCertificate = access.clientCertificate
            access.apply(to: &request, host: "store", isOwn: isOwn)
            #expect((request.clientCertificate != nil) == isOwn)
            #expect(request.authorities == "/ca")
        }
    }
}
