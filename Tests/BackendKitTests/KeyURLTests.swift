import BackendKit
import CurlTransfer
import ImageModel
import Testing

@Suite struct KeyURLTests {
    static let registry: BackendRegistry = {
        struct Nothing: Driver {
            let capabilities = Capabilities(ranges: true, redirectable: false, writable: false)
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

    @Test(arguments: ["a", "/a", "a//b", "a/", "/", "...", "a/..b/.c/d.", "a%2Fb", "a+b c", "ä\u{1F4BF}", "a\\b", "a?b#c"])
    func everyKeyIsTakenLiterally(key: String) throws {
        let text = "s3://bucket/" + LocationURL.encode(path: key)
        let place = try Self.registry.place(of: text)
        #expect(place?.path == key)
        #expect(place?.backend.id == BackendID("bucket"))
        #expect(place?.url == text)
    }

    @Test func anEscapedSlashIsASlash() throws {
        #expect(try Self.registry.place(of: "S3://bucket/a%2fb")?.url == "s3://bucket/a/b")
    }

    @Test(arguments: [
        ("s3://bucket", InvalidLocationURL.invalidKey), ("s3://bucket/", .invalidKey), ("s3://bucket/%zz", .invalidKey),
        ("s3://bucket/%ff", .invalidKey), ("s3://bucket/a%00", .invalidKey), ("s3://bucket/a b", .illegalCharacter),
        ("s3://bucket/..", .dotSegment), ("s3://bucket/.", .dotSegment), ("s3://bucket/a/../b", .dotSegment),
        ("s3://bucket/a/%2e%2E", .dotSegment), ("s3://bucket/a%2f.%2e%2fb", .dotSegment), ("s3://bucket/./a", .dotSegment),
        ("s3://key:secret@bucket/a", .credentials), ("s3://bucket/a?versionId=1", .queryOrFragment),
    ])
    func whatNamesNoKeyIsRefused(text: String, error: InvalidLocationURL) {
        #expect(throws: error) { try Self.registry.place(of: text) }
    }

    @Test func onlyABackendWithKeysIsNamedByItsID() throws {
        #expect(try Self.registry.place(of: "s3://web/a") == nil)
        #expect(try Self.registry.place(of: "s3://elsewhere/a") == nil)
        #expect(try Self.registry.place(of: "http://bucket/a") == nil)
    }

    @Test func aURLBelowTheBaseNamesTheSamePlace() throws {
        let place = try Self.registry.place(of: "http://store/bucket/a%20b/c")
        #expect(place?.path == "a b/c")
        #expect(place?.backend.id == BackendID("bucket"))
        #expect(throws: InvalidLocationURL.dotSegment) { try Self.registry.place(of: "http://store/bucket/../other/x") }
    }
}
