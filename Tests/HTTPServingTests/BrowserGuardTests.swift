import HTTPTypes
import Testing

@testable import HTTPServing

/// Which requests a server without authentication answers.
@Suite struct BrowserGuardTests {
    private let browsers = BrowserGuard(
        hosts: ["box.example"], origins: AllowedOrigins(["https://console.example"]), publicOrigin: "https://images.example")

    private func isRefused(_ host: String?, scheme: String = "http", _ fields: HTTPFields = [:], by: BrowserGuard? = nil)
        -> Bool
    {
        let request = HTTPRequest(method: .get, scheme: scheme, authority: host, path: "/", headerFields: fields)
        return (by ?? browsers).refusal(of: request)?.status == .forbidden
    }

    @Test(
        "Only loopback hosts and the server's own hosts are answered",
        arguments: [
            ("localhost", true), ("LocalHost:9292", true), ("127.0.0.1:9292", true), ("127.9.9.9", true), ("[::1]:80", true),
            ("[::ffff:127.0.0.1]", true), ("a.localhost", true), ("box.example:1", true), (nil, true), ("", true),
            ("evil.example:9292", false), ("localhost.evil.example", false), ("evillocalhost", false), ("10.0.0.1", false),
            ("127.0.0.1.evil.example", false), ("[::2]", false), ("0.0.0.0", false), ("box.example.evil", false),
            ("a b", false),
        ])
    func hosts(host: String?, isAnswered: Bool) {
        #expect(isRefused(host) != isAnswered)
    }

    @Test(
        "Pages of other origins are refused, including those of other ports of this machine",
        arguments: [
            ("http://localhost:9292", true), ("HTTP://LOCALHOST:9292", true), ("https://console.example", true),
            ("https://images.example", true), ("http://localhost:8080", false), ("http://localhost", false),
            ("https://localhost:9292", false), ("http://127.0.0.1:9292", false), ("null", false), ("", false),
            ("http://evil.example", false), ("https://console.example:8443", false), ("https://console.example.evil", false),
            ("http://localhost:92920", false), ("http://localhost:9292.evil.example", false), ("http://localhost:929", false),
        ])
    func origins(origin: String, isAnswered: Bool) {
        #expect(isRefused("localhost:9292", [.origin: origin]) != isAnswered)
    }

    @Test("An origin without a port has its scheme's default port")
    func usualPorts() {
        #expect(!isRefused("localhost", [.origin: "http://localhost"]))
        #expect(!isRefused("localhost:80", [.origin: "http://localhost"]))
        #expect(!isRefused("localhost:443", scheme: "https", [.origin: "https://localhost"]))
        #expect(isRefused("localhost:443", [.origin: "http://localhost"]))
    }

    @Test(
        "Sec-Fetch-Site counts only where no Origin is sent",
        arguments: [("same-origin", true), ("none", true), ("cross-site", false), ("same-site", false), ("Cross-Site", false)])
    func sites(site: String, isAnswered: Bool) throws {
        let name = try #require(HTTPField.Name("Sec-Fetch-Site"))
        #expect(isRefused("localhost", [name: site]) != isAnswered)
        #expect(!isRefused("localhost", [name: site, .origin: "https://console.example"]))
    }

    @Test(
        "The public URL and the allowed origins match what browsers send, without the default port",
        arguments: [
            ("https://images.example:443", "https://images.example", true),
            ("http://images.example:80", "http://images.example", true),
            ("HTTPS://Images.Example/glance", "https://images.example", true),
            ("https://images.example:8443", "https://images.example:8443", true),
            ("https://images.example:8443", "https://images.example", false),
            ("http://images.example:443", "http://images.example:443", true),
            ("https://[2001:db8::1]:443", "https://[2001:db8::1]", true),
        ])
    func configuredOrigins(url: String, origin: String, isAnswered: Bool) {
        let own = BrowserGuard(host: "box.example", origins: AllowedOrigins([]), publicURL: url)
        #expect(isRefused("box.example", [.origin: origin], by: own) != isAnswered)
        let listed = BrowserGuard(hosts: nil, origins: AllowedOrigins([url]), publicOrigin: nil)
        #expect(isRefused("box.example", [.origin: origin], by: listed) != isAnswered)
    }

    @Test("A request with two origins is refused, even if one of them is allowed")
    func severalOrigins() {
        var fields: HTTPFields = [.origin: "https://console.example"]
        fields.append(HTTPField(name: .origin, value: "http://evil.example"))
        #expect(isRefused("localhost", fields))
    }

    @Test("Behind a Unix socket any host is answered, and pages of other origins are refused")
    func socketFiles() {
        let guardian = BrowserGuard(hosts: nil, origins: AllowedOrigins([]), publicOrigin: nil)
        #expect(!isRefused("anything", by: guardian))
        #expect(isRefused("anything", [.origin: "http://evil.example"], by: guardian))
    }
}
