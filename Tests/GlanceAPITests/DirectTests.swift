import Access
import BackendKit
import CurlTransfer
import Foundation
import HTTPBackend
import HTTPTypes
import Hummingbird
import ImageCatalog
import ImageModel
import RelayEngine
import Testing

@testable import APIFixture
@testable import GlanceAPI
@testable import HTTPServing

/// Which callers are redirected where, and what the others get.
@Suite(.timeLimit(.minutes(5))) struct DirectTests {
    typealias Entry = DirectImages.Entry

    @Test("A trusted caller is redirected to the first verified location that may be redirected to")
    func aTrustedCallerIsRedirectedToAVerifiedLocation() async throws {
        let fixture = try DirectImages.fixture()
        let entries = [
            Entry(backend: "closed"), Entry(backend: "none"), Entry(backend: "leaky"),
            Entry(backend: "signed", isVerified: false),
            Entry(backend: "signed"), Entry(backend: "plain"),
        ]
        let (image, _) = try await DirectImages.image(entries, in: fixture)
        for method in [HTTPRequest.Method.get, .head] {
            let answer = try await fixture.send(method, "/v2/images/\(image)/file?direct=true", as: DirectImages.trusted)
            #expect(answer.status == 307)
            #expect(answer.headers[.location] == "https://store/b/x4?e=600")
            #expect(answer.headers[.cacheControl] == "no-store")
            #expect(answer.headers[.init("Repr-Digest")!]?.hasPrefix("sha-256=:WlpaWlpaWlpaWlpaW") == true)
            #expect(
                answer.headers[.init("Link")!]
                    == "<https://store/b/x4?e=600>; rel=duplicate; pri=1, "
                    + "<http://127.0.0.1:1/plain/x5>; rel=duplicate; pri=2")
        }
    }

    @Test(
        "If there is no direct URL, a HEAD response gives the reason",
        arguments: [
            ([Entry(backend: "closed"), Entry(backend: "none"), Entry(backend: "leaky")], "no-redirect"),
            ([Entry(backend: "plain", isVerified: false), Entry(backend: "closed")], "not-verified"),
            ([Entry(backend: "plain", isSuspect: true)], "not-healthy"),
        ] as [([Entry], String)])
    func withoutADirectURLAHeadGivesTheReason(entries: [Entry], reason: String) async throws {
        let fixture = try DirectImages.fixture()
        let (image, _) = try await DirectImages.image(entries, in: fixture)
        let answer = try await fixture.send(.head, "/v2/images/\(image)/file?direct=true", as: DirectImages.trusted)
        #expect(answer.status == 200)
        #expect(answer.headers[.init("Baton-Direct")!] == "none; reason=\(reason)")
        #expect(answer.headers[.location] == nil && answer.headers[.contentLength] == "1234")
        let listed = try await fixture.send(.get, "/baton/v1/images/\(image)/direct", as: DirectImages.trusted)
        #expect(listed.status == 200 && listed["absence"] == .string(reason) && listed["locations"] == .array([]))
    }

    @Test("A caller that is not trusted gets the stream and no direct URL")
    func aCallerThatIsNotTrustedGetsNoDirectURL() async throws {
        let fixture = try DirectImages.fixture()
        let (image, _) = try await DirectImages.image([Entry(backend: "plain")], in: fixture)
        for role in [Caller.Role.reader, .member, .service] {
            let caller = Caller(user: "u", project: "mine", roles: [role])
            let answer = try await fixture.send(.head, "/v2/images/\(image)/file?direct=true", as: caller)
            #expect(answer.status == 200 && answer.headers[.init("Baton-Direct")!] == "none; reason=not-trusted")
            let plain = try await fixture.send(.head, "/v2/images/\(image)/file", as: caller)
            #expect(plain.headers[.init("Baton-Direct")!] == nil && plain.headers[.init("Link")!] == nil)
            #expect(plain.headers[.cacheControl] == nil)
        }
    }

    @Test("A trusted caller that does not ask for a redirect gets the stream and links to locations")
    func withoutDirectATrustedCallerGetsTheStreamAndLinks() async throws {
        let fixture = try DirectImages.fixture()
        let (image, _) = try await DirectImages.image([Entry(backend: "closed"), Entry(backend: "plain")], in: fixture)
        for query in ["", "?direct=false"] {
            let answer = try await fixture.send(.head, "/v2/images/\(image)/file\(query)", as: DirectImages.trusted)
            #expect(answer.status == 200 && answer.headers[.location] == nil)
            #expect(answer.headers[.init("Link")!] == "<http://127.0.0.1:1/plain/x1>; rel=duplicate; pri=1")
            #expect(answer.headers[.cacheControl] == "no-store")
        }
        #expect(try await fixture.send(.head, "/v2/images/\(image)/file?direct=yes", as: DirectImages.trusted).status == 400)
    }

    @Test("A location that failed lately is listed last and not redirected to")
    func aLocationThatFailedLatelyIsNotRedirectedTo() async throws {
        let fixture = try DirectImages.fixture()
        let (image, ids) = try await DirectImages.image([Entry(backend: "signed"), Entry(backend: "plain")], in: fixture)
        fixture.relays.health.locationFailed(ids[0], in: BackendID("b"), AttemptFailure(.connect, .backend, detail: "refused"))
        let path = "/v2/images/\(image)/file?direct=true"
        #expect(
            try await fixture.send(.get, path, as: DirectImages.trusted).headers[.location] == "http://127.0.0.1:1/plain/x1")
        let listed = try await fixture.send(.get, "/baton/v1/images/\(image)/direct", as: DirectImages.trusted)
        #expect(listed["locations"]?.elements?.map { $0.members?["backend"] } == [.string("plain"), .string("signed")])
        #expect(listed["locations"]?.elements?.map { $0.members?["healthy"] } == [.boolean(true), .boolean(false)])
        fixture.relays.health.locationFailed(ids[1], in: BackendID("b"), AttemptFailure(.connect, .backend, detail: "refused"))
        let answer = try await fixture.send(.head, path, as: DirectImages.trusted)
        #expect(answer.status == 200 && answer.headers[.init("Baton-Direct")!] == "none; reason=not-healthy")
    }

    @Test("A Link header is no longer than proxies accept")
    func aLinkHeaderIsNoLongerThanProxiesAccept() async throws {
        let fixture = try DirectImages.fixture()
        let (image, _) = try await DirectImages.image(Array(repeating: Entry(backend: "long"), count: 5), in: fixture)
        let sent = try await fixture.send(.get, "/v2/images/\(image)/file?direct=true", as: DirectImages.trusted)
        let links = try #require(sent.headers[.init("Link")!])
        #expect(links.utf8.count <= 2048 && links.hasSuffix("pri=2") && sent.status == 307)
        let listed = try await fixture.send(.get, "/baton/v1/images/\(image)/direct", as: DirectImages.trusted)
        #expect(listed["locations"]?.elements?.count == 5)
    }

    @Test("A location that was taken out is not redirected to")
    func aLocationThatWasTakenOutIsNotRedirectedTo() async throws {
        let fixture = try DirectImages.fixture()
        let (image, ids) = try await DirectImages.image([Entry(backend: "signed"), Entry(backend: "plain")], in: fixture)
        _ = try await fixture.catalog.apply(
            LocationChange(.disable, of: ids[0], actor: "test", reason: "because", at: .now))
        let sent = try await fixture.send(.get, "/v2/images/\(image)/file?direct=true", as: DirectImages.trusted)
        #expect(sent.headers[.location] == "http://127.0.0.1:1/plain/x1")
        #expect(sent.headers[.init("Link")!]?.contains("store") == false)
    }

    /// A client that was cut off in mid-stream holds bytes that may be wrong, and would complete them elsewhere.
    @Test("During an integrity hold no resumed download is redirected")
    func duringAHoldNoResumedDownloadIsRedirected() async throws {
        let fixture = try DirectImages.fixture()
        let entries = [Entry(backend: "closed", isSuspect: true), Entry(backend: "plain")]
        let (image, _) = try await DirectImages.image(entries, in: fixture)
        let path = "/v2/images/\(image)/file?direct=true"
        #expect(try await fixture.send(.get, path, as: DirectImages.trusted).status == 307)
        let resumed = try await fixture.send(.head, path, as: DirectImages.trusted, headers: [.range: "bytes=100-"])
        #expect(resumed.status == 200 && resumed.headers[.init("Baton-Direct")!] == "none; reason=integrity-hold")
    }

    @Test("Conditions and ranges are evaluated before a redirect")
    func conditionsAndRangesAreEvaluatedBeforeARedirect() async throws {
        let fixture = try DirectImages.fixture()
        let (image, _) = try await DirectImages.image([Entry(backend: "plain")], in: fixture)
        func status(_ headers: HTTPFields) async throws -> Int {
            try await fixture.send(.get, "/v2/images/\(image)/file?direct=true", as: DirectImages.trusted, headers: headers)
                .status
        }
        #expect(try await status([.ifNoneMatch: "\"sha256-\(DirectImages.digest)\""]) == 304)
        #expect(try await status([.range: "bytes=9999-"]) == 416)
        #expect(try await status([.range: "bytes=100-"]) == 307)
        #expect(try await status([.range: "bytes=100-", .ifRange: "\"sha256-\(DirectImages.digest)\""]) == 307)
    }

    @Test(
        "A URL that holds credentials or would break a header is never sent",
        arguments: [
            ("http://store/x", true), ("https://store:9/x?a=b@c", true), ("http://u:p@store/x", false),
            ("http://u@store/x", false),
            ("ftp://store/x", false), ("file:///x", false), ("http:///x", false), ("http://store/a b", false),
            ("http://store/a>b", false), ("http://store/a\r\nb", false), ("s3://b/k", false),
            ("http://store/a/../b", false), ("http://store/./b", false), ("http://store/a/..\u{301}/b", false),
            ("http://store/a/../\u{301}b", false), ("http://store/a/%2E%2e/b", false), ("http://store/%2e/b", false),
            ("http://store/a..b/.c?x=/../", true),
        ])
    func noURLWithCredentialsOrControlCharactersIsSent(url: String, isFit: Bool) {
        #expect(DirectOffers.isFit(url) == isFit)
    }

    /// A location that does not serve yet, or no longer serves, says nothing about what the others serve.
    @Test("A location that does not serve adds no digest")
    func aLocationThatDoesNotServeAddsNoDigest() async throws {
        let fixture = try DirectImages.fixture()
        let (image, _) = try await DirectImages.image([.init(backend: "plain")], in: fixture)
        let path = "/v2/images/\(image)/file"
        let before = try await fixture.send(.head, path, as: DirectImages.trusted)
        #expect(before.headers[.init("Content-MD5")!] == String(repeating: "b", count: 32))
        let wrong = try DigestSet([
            Digest(.sha256, hex: DirectImages.digest), Digest(.md5, hex: String(repeating: "e", count: 32)),
            Digest(.sha512, hex: String(repeating: "e", count: 128)),
        ])
        let location = try await fixture.catalog.addLocation(
            NewLocation(
                image: image, backend: BackendID("plain"), path: "wrong", url: "http://127.0.0.1:1/plain/wrong",
                format: Format(disk: .raw, container: .bare), size: DirectImages.size, digests: wrong),
            id: LocationID(), at: .now, actor: "test", reason: "registered")
        for events in [[], [LocationEvent.probed, .quarantine], [.delete]] {
            for event in events {
                _ = try await fixture.catalog.apply(
                    LocationChange(event, of: location.id, actor: "test", reason: "played", at: .now))
            }
            let answer = try await fixture.send(.head, path, as: DirectImages.trusted)
            for name in ["Content-MD5", "Repr-Digest"] {
                let field = try #require(HTTPField.Name(name))
                #expect(answer.headers[field] == before.headers[field], "\(name) after \(events)")
            }
            let shown = try await fixture.send(.get, "/v2/images/\(image)", as: DirectImages.trusted)
            #expect(shown["checksum"]?.text == String(repeating: "b", count: 32))
            #expect(shown["os_hash_algo"]?.text == "sha256")
        }
    }
}

extension JSONValue {
    fileprivate var elements: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }
}
