import BackendKit
import CurlTransfer
import ImageModel
import Testing

@Suite struct LocationURLTests {
    @Test(
        "A URL that could mean another object is rejected",
        arguments: [
            ("http://a/x?y", InvalidLocationURL.queryOrFragment), ("http://a/x#y", .queryOrFragment),
            ("http://user:secret@a/x", .credentials), ("http://user@a/x", .credentials), ("a/x", .noScheme), ("", .noScheme),
            ("ftp://a/x", .unknownScheme("ftp")), ("http:///x", .invalidHost), ("http://a:0/x", .invalidHost),
            ("http://a:99999/x", .invalidHost), ("http://a b/x", .illegalCharacter), ("http://a/x\\y", .illegalCharacter),
            ("http://a/é", .illegalCharacter), ("http://a/../x", .dotSegment), ("http://a/x/..", .dotSegment),
            ("http://a/%2e%2e/x", .dotSegment), ("http://a/%2E./x", .dotSegment), ("http://a/./x", .dotSegment),
            ("http://a/x%2fy", .invalidEscape), ("http://a/x%00y", .invalidEscape), ("http://a/x%5cy", .invalidEscape),
            ("http://a/%zz", .invalidEscape), ("http://a/%+1", .invalidEscape), ("http://a/%2", .invalidEscape),
            ("http://a/%ff", .invalidEscape), ("http://a//x", .emptySegment), ("file://elsewhere/x", .invalidHost),
            ("http://a/x%252e%252e", nil), ("http://A.example:8080/x%20y", nil), ("http://[::1]:80/x", nil), ("file:///x", nil),
            ("http://[::1/x", .invalidHost), ("http://[]/x", .invalidHost), ("http://[127.0.0.1]/x", .invalidHost),
            ("http://[::1]x:80/x", .invalidHost), ("http://[fe80::1%25eth0]/x", .invalidHost), ("http://::1/x", .invalidHost),
        ])
    func aURLThatCouldMeanAnotherObjectIsRejected(_ text: String, _ error: InvalidLocationURL?) {
        var caught: InvalidLocationURL?
        do throws(InvalidLocationURL) { _ = try LocationURL(text) } catch { caught = error }
        #expect(caught == error)
    }

    @Test("A path lies below its backend by whole segments only")
    func aPathLiesBelowItsBackendByWholeSegmentsOnly() throws {
        let base = try LocationURL("http://store:8080/images/")
        #expect(try LocationURL("http://STORE:8080/images/a/b%20c").path(below: base) == "a/b c")
        #expect(try LocationURL("http://store:8080/imagesque/a").path(below: base) == nil)
        #expect(try LocationURL("http://store:8080/images").path(below: base) == nil)
        #expect(try LocationURL("http://store/images/a").path(below: base) == nil)
        #expect(try LocationURL("https://store:8080/images/a").path(below: base) == nil)
        #expect(try LocationURL("http://store.example:8080/images/a").path(below: base) == nil)
    }

    @Test(
        "An IPv6 address is the same host in every spelling",
        arguments: ["[2001:DB8::1]", "[2001:db8:0:0:0:0:0:1]", "[2001:0db8::0:1]"])
    func anIPv6AddressIsTheSameHostInEverySpelling(host: String) throws {
        let url = try LocationURL("http://\(host):8080/images/a")
        #expect(url.path(below: try LocationURL("http://[2001:db8::1]:8080/images")) == "a")
        #expect(url.description == "http://[2001:db8::1]:8080/images/a")
        #expect(try LocationURL("http://\(host)/a").authority == "[2001:db8::1]")
    }

    @Test("A location belongs to the innermost backend that contains it")
    func aLocationBelongsToTheInnermostBackend() throws {
        struct Nothing: Driver {
            let capabilities = Capabilities()
            func transferRequest(for read: ReadRequest) -> TransferRequest { TransferRequest(source: .url("")) }
            func inspect(_ head: ResponseHead, of read: ReadRequest) -> Result<ObjectHead, AttemptFailure> {
                .failure(AttemptFailure(.missing, .location, detail: ""))
            }
        }
        let registry = BackendRegistry([
            Backend(id: BackendID("outer"), base: try LocationURL("http://store/"), driver: Nothing()),
            Backend(id: BackendID("inner"), base: try LocationURL("http://store/images"), driver: Nothing()),
        ])
        let inner = registry.locate(try LocationURL("http://store/images/a"))
        #expect(inner?.backend.id == BackendID("inner") && inner?.path == "a")
        let outer = registry.locate(try LocationURL("http://store/other/a"))
        #expect(outer?.backend.id == BackendID("outer") && outer?.path == "other/a")
        #expect(registry.locate(try LocationURL("http://elsewhere/images/a")) == nil)
    }

    @Test("A path is the same after encoding and parsing")
    func aPathIsTheSameAfterEncodingAndParsing() throws {
        for path in ["a b", "ä/ü?#%", "x+y&z=1", "%2e%2e"] {
            let url = try LocationURL("http://a/" + LocationURL.encode(path: path))
            #expect(url.segments.joined(separator: "/") == path)
            #expect(try LocationURL(url.description) == url)
        }
    }
}
