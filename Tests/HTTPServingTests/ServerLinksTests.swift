import Access
import HTTPTypes
import NIOCore
import NetworkAddress
import Testing

@testable import HTTPServing

/// The address that links in answers have.
@Suite struct ServerLinksTests {
    private static let scheme = HTTPField.Name("X-Forwarded-Proto")
    private static let host = HTTPField.Name("X-Forwarded-Host")

    private func base(
        _ authority: String?, forwarded: (scheme: String?, host: String?) = (nil, nil), peer: String? = "192.0.2.1",
        links: ServerLinks? = nil, tls: Bool = false
    ) throws -> String {
        let ours = try links ?? ServerLinks(proxies: TrustedNetworks(proxies: [IPNetwork("192.0.2.0/24")]))
        var request = HTTPRequest(method: .get, scheme: tls ? "https" : "http", authority: authority, path: "/")
        if let name = Self.scheme, let scheme = forwarded.scheme { request.headerFields[name] = scheme }
        if let name = Self.host, let host = forwarded.host { request.headerFields[name] = host }
        return ours.base(of: request, peer: peer, local: try SocketAddress(ipAddress: "10.0.0.1", port: 9292))
    }

    @Test("A request without a proxy decides the address by itself")
    func direct() throws {
        #expect(try base("images.example:9292", peer: "198.51.100.1") == "http://images.example:9292")
        #expect(try base("[2001:db8::1]", peer: nil, tls: true) == "https://[2001:db8::1]")
    }

    @Test("The headers of a trusted proxy decide the address")
    func proxies() throws {
        #expect(try base("backend:9292", forwarded: ("https", "images.example")) == "https://images.example")
        #expect(try base("images.example", forwarded: ("HTTPS", nil)) == "https://images.example")
        #expect(try base("backend", forwarded: (nil, "images.example:8443")) == "http://images.example:8443")
        #expect(try base("backend", forwarded: ("http", nil), tls: true) == "http://backend")
    }

    @Test("Of several values, the one that the proxy added counts")
    func lists() throws {
        #expect(try base("backend", forwarded: ("http, https", "evil.example, images.example")) == "https://images.example")
    }

    @Test("The headers of any other peer are ignored")
    func strangers() throws {
        for peer in ["198.51.100.1", nil] {
            #expect(try base("backend", forwarded: ("https", "evil.example"), peer: peer) == "http://backend")
        }
    }

    @Test(
        "An invalid host is never in a link",
        arguments: [
            "a/b", "user@a", "a b", "\"a\"", "<a>", "a?x", "a#x", "a\\b", "[::1", "a:b", "a:99999", "ä", "", "a,b",
            "[::1%eth0]", "[a:b]", "[1:2]", "[192.0.2.1]",
        ])
    func noHosts(host: String) throws {
        #expect(try base(host) == "http://10.0.0.1:9292")
        #expect(try base("backend", forwarded: (nil, host)).contains("backend") || host == "a,b")
        #expect(try base(nil) == "http://10.0.0.1:9292")
    }

    @Test("An invalid scheme is ignored", arguments: ["javascript", "", "ftp", "https:"])
    func noSchemes(scheme: String) throws {
        #expect(try base("backend", forwarded: (scheme, nil)) == "http://backend")
    }

    @Test("The key server.public_url overrides the request and its proxy")
    func publicURL() throws {
        let links = try ServerLinks(
            publicURL: "https://x.example/glance", proxies: TrustedNetworks(proxies: [IPNetwork("192.0.2.1")]))
        #expect(try base("a/b", forwarded: ("http", "y.example"), links: links) == "https://x.example/glance")
    }
}
