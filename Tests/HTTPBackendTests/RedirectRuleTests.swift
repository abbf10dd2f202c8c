import BackendKit
import CurlTransfer
import Testing

@testable import HTTPBackend

@Suite struct RedirectRuleTests {
    static let current = "http://store:8080/images/disk.raw"

    static func resolve(_ reference: String) throws -> String? {
        RedirectRule.resolve(reference, against: try LocationURL(current))?.text
    }

    static func target(
        _ location: String?, status: Int = 302, allowed: [String] = ["https://cdn.example/data"], hops: Int = 0
    ) throws -> String? {
        let rule = RedirectRule(allowed: try allowed.map { try LocationURL($0) })
        let head = ResponseHead(status: status, fields: location.map { [("location", $0)] } ?? [])
        return rule.target(of: head, from: try LocationURL(current), hops: hops)?.text
    }

    @Test(arguments: [
        ("https://cdn.example/data/a", "https://cdn.example/data/a"), ("//cdn/a", "http://cdn/a"),
        ("/other/a", "http://store:8080/other/a"), ("a", "http://store:8080/images/a"),
        ("a/b%20c", "http://store:8080/images/a/b%20c"), ("?x=1", "http://store:8080/images/disk.raw?x=1"),
        ("https://cdn/a?X-Sig=a%2Fb&c=d#part", "https://cdn/a?X-Sig=a%2Fb&c=d"), ("/a#?x", "http://store:8080/a"),
        ("/a?b://c", "http://store:8080/a?b://c"), ("HTTPS://CDN:443/a", "https://cdn/a"),
        ("http://[0:0::1]:80/a", "http://[::1]/a"),
    ])
    func aReferenceNamesAPlace(reference: String, expected: String) throws {
        #expect(try Self.resolve(reference) == expected)
    }

    @Test(arguments: [
        "http://user:secret@cdn/a", "file:///etc/passwd", "gopher://cdn/a", "data:text/plain,x", "javascript:alert", "../a",
        "/a/../b",
        "/%2e%2e/a", "/a%2fb", "//", "http://", "/a\\b", "/a b", "/a?b c", "/a\u{0}", "http://cdn:0/a", "http://a@b@c/d",
        "//cdn//a",
        "http:/cdn/a", "/ä", "http://[fe80::1%25eth0]/a",
    ])
    func whatCouldMeanAnotherPlaceIsNoPlace(reference: String) throws {
        #expect(try Self.resolve(reference) == nil)
    }

    @Test func onlyWhatLiesBelowTheListByWholeSegmentsIsFollowed() throws {
        #expect(try Self.target("https://cdn.example/data/a?s=1") == "https://cdn.example/data/a?s=1")
        for location in [
            "https://cdn.example/database/a", "https://cdn.example/data", "https://cdn.example/", "http://cdn.example/data/a",
            "https://cdn.example:8443/data/a", "https://cdn.example.evil/data/a", "https://evil/?https://cdn.example/data/a",
            "https://cdn.example/data/../secret", "/images/other", "http://169.254.169.254/data/a",
        ] {
            #expect(try Self.target(location) == nil, "\(location)")
        }
        // The backend's own place is no exception: it is followed when the list names it.
        #expect(try Self.target("/images/a", allowed: ["http://store:8080/images"]) == "http://store:8080/images/a")
    }

    @Test(arguments: [301, 302, 303, 307, 308]) func everyKindOfRedirectIsFollowed(status: Int) throws {
        #expect(try Self.target("https://cdn.example/data/a", status: status) != nil)
    }

    @Test(arguments: [200, 206, 300, 304, 305, 404]) func otherAnswersAreNot(status: Int) throws {
        #expect(try Self.target("https://cdn.example/data/a", status: status) == nil)
    }

    @Test func theHopsAreCounted() throws {
        #expect(try Self.target("https://cdn.example/data/a", hops: RedirectRule.limit - 1) != nil)
        #expect(try Self.target("https://cdn.example/data/a", hops: RedirectRule.limit) == nil)
        #expect(try Self.target(nil) == nil)
    }
}
