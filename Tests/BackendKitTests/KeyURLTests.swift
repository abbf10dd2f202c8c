import BackendKit
import CurlTransfer
import ImageModel
import Testing

@Suite struct KeyURLTests {
    static let registry: BackendRegistry = {
        struct Nothing: Driver {
            let capabilities = Capabilities()
            func transferRequest(for read: ReadRequest) -> TransferRequest { TransferRequest(source: .url("")) }
            func inspect(_ head: ResponseHead, of read: ReadRequest) -> Result<ObjectHead, AttemptFailure> {
                .failure(AttemptFailure(.missing, .location, detail: ""))
            }
        }
        guard let bucket = try? LocationURL("http://store/bucket"), let web = try? LocationURL("http://web/") else {
            return BackendRegistry([])
        }
        return BackendRegistry([
            Backend(id: BackendID("bucket"), base: bucket, driver: Nothing(), keyScheme: "s3"),
            Backend(id: BackendID("web"), base: web, driver: Nothing()),
        ])
    }()

    @Test(
        "Every object key is taken literally",
        arguments: ["a", "/a", "a//b", "a/", "/", "...", "a/..b/.c/d.", "a%2Fb", "a+b c", "ä\u{1F4BF}", "a\\b", "a?b#c"])
    func everyKeyIsTakenLiterally(key: String) throws {
        let text = "s3://bucket/" + LocationURL.encode(path: key)
        let resolved = try Self.registry.resolve(text)
        #expect(resolved?.path == key)
        #expect(resolved?.backend.id == BackendID("bucket"))
        #expect(resolved?.url == text)
    }

    @Test("An escaped slash in a key is a slash")
    func anEscapedSlashIsASlash() throws {
        #expect(try Self.registry.resolve("S3://bucket/a%2fb")?.url == "s3://bucket/a/b")
    }

    @Test(
        "A URL that names no key is rejected",
        arguments: [
            ("s3://bucket", InvalidLocationURL.invalidKey), ("s3://bucket/", .invalidKey), ("s3://bucket/%zz", .invalidKey),
            ("s3://bucket/%ff", .invalidKey), ("s3://bucket/a%00", .invalidKey), ("s3://bucket/a b", .illegalCharacter),
            ("s3://bucket/..", .dotSegment), ("s3://bucket/.", .dotSegment), ("s3://bucket/a/../b", .dotSegment),
            ("s3://bucket/a/%2e%2E", .dotSegment), ("s3://bucket/a%2f.%2e%2fb", .dotSegment), ("s3://bucket/./a", .dotSegment),
            // A combining mark after a slash makes one character of both, and the slash still counts.
            ("s3://bucket/team/..%2F%CC%81x", .dotSegment), ("s3://bucket/team/../%CC%81x", .dotSegment),
            ("s3://bucket/..%2F%F0%9F%8F%BDx", .dotSegment), ("s3://bucket/a/.%2f%E2%80%8D", .dotSegment),
            ("s3://key:secret@bucket/a", .credentials), ("s3://bucket/a?versionId=1", .queryOrFragment),
        ])
    func aURLThatNamesNoKeyIsRejected(text: String, error: InvalidLocationURL) {
        #expect(throws: error) { try Self.registry.resolve(text) }
    }

    @Test("Only a backend with keys can be named by its ID")
    func onlyABackendWithKeysIsNamedByItsID() throws {
        #expect(try Self.registry.resolve("s3://web/a") == nil)
        #expect(try Self.registry.resolve("s3://elsewhere/a") == nil)
        #expect(try Self.registry.resolve("http://bucket/a") == nil)
    }

    @Test("A URL below the backend's base names the same object")
    func aURLBelowTheBaseNamesTheSameObject() throws {
        let resolved = try Self.registry.resolve("http://store/bucket/a%20b/c")
        #expect(resolved?.path == "a b/c")
        #expect(resolved?.backend.id == BackendID("bucket"))
        #expect(throws: InvalidLocationURL.dotSegment) { try Self.registry.resolve("http://store/bucket/../other/x") }
    }

    @Test("Dot segments of a key are escaped on the wire, whatever follows their slash")
    func dotSegmentsAreEscaped() {
        #expect(LocationURL.encode(key: "team/../\u{301}x") == "team/%2E%2E/%CC%81x")
        #expect(LocationURL.encode(key: "\u{301}/./\u{301}") == "%CC%81/%2E/%CC%81")
        #expect(LocationURL.encode(key: "a//..b/") == "a//..b/")
    }

    @Test("A path is compared with the base byte by byte, not by Unicode equivalence")
    func placesAreBytes() throws {
        let base = try LocationURL("http://store/%C3%A9")
        #expect(try LocationURL("http://store/%C3%A9/x").path(below: base) == "x")
        #expect(try LocationURL("http://store/e%CC%81/x").path(below: base) == nil)
    }
}
