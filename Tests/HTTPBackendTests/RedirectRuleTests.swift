import BackendKit
import CurlTransfer
import Foundation
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

    @Test(
        "A redirect's reference is resolved against the current URL",
        arguments: [
            ("https://cdn.example/data/a", "https://cdn.example/data/a"), ("//cdn/a", "http://cdn/a"),
            ("/other/a", "http://store:8080/other/a"), ("a", "http://store:8080/images/a"),
            ("a/b%20c", "http://store:8080/images/a/b%20c"), ("?x=1", "http://store:8080/images/disk.raw?x=1"),
            ("https://cdn/a?X-Sig=a%2Fb&c=d#part", "https://cdn/a?X-Sig=a%2Fb&c=d"), ("/a#?x", "http://store:8080/a"),
            ("/a?b://c", "http://store:8080/a?b://c"), ("HTTPS://CDN:443/a", "https://cdn/a"),
            ("http://[0:0::1]:80/a", "http://[::1]/a"), ("https://cdn/a=b+c@d,e%7Ef", "https://cdn/a=b+c@d,e%7Ef"),
            ("/a<b>\"c", "http://store:8080/a%3Cb%3E%22c"),
        ])
    func aReferenceIsResolvedAgainstTheCurrentURL(reference: String, expected: String) throws {
        #expect(try Self.resolve(reference) == expected)
    }

    @Test(
        "A redirect's reference that could mean another URL is rejected",
        arguments: [
            "http://user:secret@cdn/a", "file:///etc/passwd", "gopher://cdn/a", "data:text/plain,x", "javascript:alert", "../a",
            "/a/../b",
            "/%2e%2e/a", "/a%2fb", "//", "http://", "/a\\b", "/a b", "/a?b c", "/a\u{0}", "http://cdn:0/a", "http://a@b@c/d",
            "//cdn//a",
            "http:/cdn/a", "/ä", "http://[fe80::1%25eth0]/a",
        ])
    func anAmbiguousReferenceIsRejected(reference: String) throws {
        #expect(try Self.resolve(reference) == nil)
    }

    @Test("A redirect is followed only below a listed URL, by whole segments")
    func onlyRedirectsBelowAListedURLAreFollowed() throws {
        #expect(try Self.target("https://cdn.example/data/a?s=1") == "https://cdn.example/data/a?s=1")
        for location in [
            "https://cdn.example/database/a", "https://cdn.example/data", "https://cdn.example/", "http://cdn.example/data/a",
            "https://cdn.example:8443/data/a", "https://cdn.example.evil/data/a", "https://evil/?https://cdn.example/data/a",
            "https://cdn.example/data/../secret", "/images/other", "http://169.254.169.254/data/a",
        ] {
            #expect(try Self.target(location) == nil, "\(location)")
        }
        // The backend's own URL is no exception: it is followed when the list names it.
        #expect(try Self.target("/images/a", allowed: ["http://store:8080/images"]) == "http://store:8080/images/a")
    }

    /// References made of parts that parsers read differently, then read by Foundation. Seeds are the arguments, so that a
    /// failure names its own.
    @Test("No followed reference leads out of the list when another parser reads it", arguments: 0..<20)
    func noReferenceLeadsOutOfTheListForAnotherParser(seed: Int) throws {
        var random = Sequence(seed: UInt64(seed))
        let pieces = [
            "https:", "http:", "//", "/", "cdn.example", "evil", "@", ":", "443", ":8443", "data", "..", ".", "%2e", "%2f", "?",
            "#",
            "\\", " ", "a", "%", "%00", ";", "[::1]", "\t", "é", "data/a",
        ]
        let rule = RedirectRule(allowed: [try LocationURL("https://cdn.example/data")])
        var followed = 0
        for _ in 0..<2000 {
            let isNear = random.next(2) == 0
            let tail = (0...random.next(6)).map { _ in pieces[random.next(pieces.count)] }.joined()
            let reference = (isNear ? "https://cdn.example/data/" : "") + tail
            let head = ResponseHead(status: 302, fields: [("location", reference)])
            guard let target = rule.target(of: head, from: try LocationURL(Self.current), hops: 0) else { continue }
            followed += 1
            let read = try #require(URLComponents(string: target.text), "\(reference)")
            #expect(
                read.scheme == "https" && read.host == "cdn.example" && read.port == nil && read.user == nil, "\(reference)")
            let segments = read.path.split(separator: "/", omittingEmptySubsequences: false)
            #expect(segments.starts(with: ["", "data"]) && segments.count > 2, "\(reference)")
            #expect(!segments.contains("..") && !segments.contains("."), "\(reference)")
        }
        #expect(followed > 0)
    }

    private struct Sequence {
        var state: UInt64

        init(seed: UInt64) { state = seed &+ 1 }

        mutating func next(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(count))
        }
    }

    @Test("Every redirect status is followed", arguments: [301, 302, 303, 307, 308])
    func everyRedirectStatusIsFollowed(status: Int) throws {
        #expect(try Self.target("https://cdn.example/data/a", status: status) != nil)
    }

    @Test("No other status is followed", arguments: [200, 206, 300, 304, 305, 404])
    func noOtherStatusIsFollowed(status: Int) throws {
        #expect(try Self.target("https://cdn.example/data/a", status: status) == nil)
    }

    @Test("The number of hops is limited")
    func theNumberOfHopsIsLimited() throws {
        #expect(try Self.target("https://cdn.example/data/a", hops: RedirectRule.limit - 1) != nil)
        #expect(try Self.target("https://cdn.example/data/a", hops: RedirectRule.limit) == nil)
        #expect(try Self.target(nil) == nil)
    }
}
