import FaultyOrigin
import Testing

/// Names that resolve to addresses where no backend should be. libcurl itself resolves names below `localhost` to loopback (RFC 6761
/// section 6.3), so the tests need no name server.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct AddressDoorScenarios {
    static let content = PatternedContent(size: 300_007, seed: 92)

    private func attach(_ url: String, _ baton: BatonProcess) async throws -> TestClient.Response {
        let image = try await baton.addImage()
        return try await baton.send(
            "POST", "/baton/v1/images/\(image)/locations",
            body: #"{"url": "\#(url)", "size": \#(Self.content.size), "digests": {"sha256": "\#(Self.content.sha256)"}}"#)
    }

    @Test("A name that resolves to loopback is refused, and no connection is made")
    func aNameThatResolvesToLoopbackIsRefused() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let url = origin.url("", host: "store.localhost")
        let baton = try await BatonProcess(backends: ["store": #"driver: http, url: "\#(url)""#])
        let response = try await attach(origin.url(host: "store.localhost"), baton)
        #expect(response.text.contains("refused-address"), "\(response.text)")
        #expect(!response.text.contains("127.0.0.1"))
        #expect(origin.record.requests.isEmpty && origin.record.openConnections == 0)
    }

    @Test("Other drivers refuse such a name as well", arguments: [#"driver: s3, bucket: b, url: "URL""#])
    func otherDriversRefuseSuchANameAsWell(keys: String) async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let url = origin.url("", host: "store.localhost")
        let baton = try await BatonProcess(backends: ["store": keys.replacing("URL", with: url)])
        #expect(try await attach("s3://store/image", baton).text.contains("refused-address"))
        #expect(origin.record.requests.isEmpty)
    }

    /// Spellings that Baton does not parse as addresses, but libcurl and the system do.
    @Test(
        "A disguised loopback address is refused",
        arguments: ["127.1", "2130706433", "0x7f.1", "0177.0.0.1", "0", "LocalHost.localhost"])
    func aDisguisedLoopbackAddressIsRefused(host: String) async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let baton = try await BatonProcess(backends: ["store": #"driver: http, url: "\#(origin.url("", host: host))""#])
        let response = try await attach(origin.url(host: host), baton)
        #expect(response.text.contains("refused-address"), "\(response.text)")
        #expect(origin.record.requests.isEmpty)
    }

    @Test("A loopback address that the configuration spells out is allowed", arguments: ["127.0.0.1", "localhost"])
    func aLoopbackAddressInTheConfigurationIsAllowed(host: String) async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let baton = try await BatonProcess(backends: ["store": #"driver: http, url: "\#(origin.url("", host: host))""#])
        #expect(try await attach(origin.url(host: host), baton).status == 201)
    }

    @Test("A name is allowed once allow_addresses lists its class")
    func aNameIsAllowedOnceItsClassIs() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let url = origin.url("", host: "store.localhost")
        let baton = try await BatonProcess(
            backends: ["store": #"driver: http, url: "\#(url)", allow_addresses: [loopback]"#])
        #expect(try await attach(origin.url(host: "store.localhost"), baton).status == 201)
    }

    @Test("A redirect to a name that resolves to loopback is refused")
    func aRedirectToANameThatResolvesToLoopbackIsRefused() async throws {
        let target = try FaultyOrigin(Self.content)
        defer { target.stop() }
        let leads = target.url("data/x", host: "cdn.localhost")
        let origin = try FaultyOrigin(Self.content) { _ in .redirect(to: leads) }
        defer { origin.stop() }
        let baton = try await BatonProcess(
            backends: [
                "store":
                    #"driver: http, url: "\#(origin.url(""))", allow_redirects_to: ["\#(target.url("data", host: "cdn.localhost"))"]"#
            ])
        #expect(try await attach(origin.url(), baton).text.contains("refused-address"))
        #expect(target.record.requests.isEmpty)
    }

    @Test("A connection that another backend made does not bypass the address filter")
    func aConnectionOfAnotherBackendDoesNotBypassTheFilter() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        func url(_ path: String) -> String { origin.url(path, host: "store.localhost") }
        let baton = try await BatonProcess(
            backends: [
                "open": #"driver: http, url: "\#(url("open"))", allow_addresses: [loopback]"#,
                "shut": #"driver: http, url: "\#(url("shut"))""#,
            ], settings: "transfer: { loops: 1 }")
        // A whole download leaves a connection in the loop's pool, where the next one finds it; to libcurl it fits both backends.
        let image = try await baton.addImage(of: Self.content, at: [url("open/a")])
        #expect(try await baton.download(image, of: Self.content).isComplete)
        let connections = Set(origin.record.requests.map(\.connection))
        #expect(try await baton.download(image, of: Self.content).isComplete)
        #expect(Set(origin.record.requests.map(\.connection)) == connections)
        #expect(try await attach(url("shut/a"), baton).text.contains("refused-address"))
        #expect(origin.record.requests.allSatisfy { $0.path == "/open/a" })
    }

    @Test("A download moves on from a name that is no longer allowed, and the log says why")
    func aDownloadMovesOnFromANameThatIsNoLongerAllowed() async throws {
        let good = try FaultyOrigin(Self.content)
        defer { good.stop() }
        let directory = try TestDirectory()
        let url = good.url("", host: "store.localhost")
        let bad = #"driver: http, url: "\#(url)""#
        let image: String
        do {
            let before = try await BatonProcess(
                backends: ["bad": bad + ", allow_addresses: [loopback]", "good": #"driver: http, url: "\#(good.url(""))""#],
                directory: directory)
            image = try await before.addImage(of: Self.content, at: [good.url(host: "store.localhost"), good.url()])
            before.terminate()
            _ = try await before.exited()
        }
        let after = try await BatonProcess(
            backends: ["bad": bad, "good": #"driver: http, url: "\#(good.url(""))""#], directory: directory)
        let response = try await after.download(image, of: Self.content)
        #expect(response.isComplete && response.firstWrongByte == nil)
        let relay = await after.relay(of: image)
        let failure = relay.fields["failures"]?.first
        #expect(failure?.hasPrefix("bad refused-address:") == true, "\(relay.fields)")
        #expect(failure?.contains("a loopback address") == true)
    }

    @Test("Behind a proxy the filter checks the proxy's address")
    func theFilterChecksTheProxysAddress() async throws {
        let proxy = try FaultyOrigin(Self.content)
        defer { proxy.stop() }
        let byName = try await BatonProcess(
            backends: [
                "store": #"driver: http, url: "http://store.example/", proxy: "\#(proxy.url("", host: "proxy.localhost"))""#
            ])
        #expect(try await attach("http://store.example/a", byName).text.contains("refused-address"))
        let byAddress = try await BatonProcess(
            backends: ["store": #"driver: http, url: "http://store.example/", proxy: "\#(proxy.url(""))""#])
        #expect(try await attach("http://store.example/a", byAddress).status == 201)
    }
}
