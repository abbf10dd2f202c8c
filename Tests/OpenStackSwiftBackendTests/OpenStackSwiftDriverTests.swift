import BackendKit
import CurlTransfer
import FoundationEssentials
import ImageModel
import Testing

@testable import OpenStackSwiftBackend

@Suite struct OpenStackSwiftDriverTests {
    static func driver(
        credentials: OpenStackSwiftCredentials? = nil, account: String? = "http://store:8080/v1/AUTH_test", prefix: String = "",
        signer: TempURLSigner? = nil
    ) throws -> OpenStackSwiftDriver {
        OpenStackSwiftDriver(
            container: try OpenStackSwiftContainer("images", prefix: prefix), account: try account.map { try LocationURL($0) },
            credentials: credentials, signer: signer, connectTimeout: .seconds(1),
            now: { Date(timeIntervalSince1970: 1000.9) })
    }

    static func inspect(_ status: Int, _ fields: [(name: String, value: String)] = []) throws -> Result<
        ObjectHead, AttemptFailure
    > {
        let read = ReadRequest(path: "a", range: ByteRange(first: 10, last: 19))
        return try driver().inspect(ResponseHead(status: status, fields: fields), of: read)
    }

    static func url(_ request: TransferRequest) -> String? {
        if case .url(let url) = request.source { url } else { nil }
    }

    static let md5 = "0123456789abcdef0123456789abcdef"

    @Test("The requested range is accepted with its ETag, and a longer one is rejected")
    func theRequestedRangeIsAcceptedWithItsETag() throws {
        let head = try Self.inspect(206, [("content-range", "bytes 10-19/100"), ("etag", Self.md5)]).get()
        #expect(
            head
                == ObjectHead(
                    first: 10, count: 10, total: 100, validator: Validator(Self.md5), stated: try Digest(.md5, hex: Self.md5)))
        #expect(try Self.inspect(206, [("content-range", "bytes 10-20/100")]).failure?.reason == .wrongRange)
        #expect(try Self.inspect(200, [("content-length", "100")]).get().total == 100)
    }

    @Test(
        "A content coding that only the upload used is ignored",
        arguments: ["", "aws-chunked", "identity, aws-chunked"])
    func codingOfTheUpload(coding: String) throws {
        let fields = [(name: "content-range", value: "bytes 10-19/100"), (name: "content-encoding", value: coding)]
        let head = try Self.inspect(206, fields).get()
        #expect(head.coding == nil && head.count == 10)
    }

    @Test("An answer shorter than the requested range is accepted")
    func shortAnswer() throws {
        #expect(try Self.inspect(206, [("content-range", "bytes 10-12/100")]).get().count == 3)
    }

    @Test(
        "The ETag of a large object is not taken for a digest",
        arguments: [
            [("etag", "\"0123456789abcdef0123456789abcdef\""), ("x-static-large-object", "True")],
            [("etag", "0123456789abcdef0123456789abcdef"), ("x-static-large-object", "True")],
            [("etag", "0123456789abcdef0123456789abcdef"), ("x-object-manifest", "c/p")],
            [("etag", "\"0123456789abcdef0123456789abcdef\"")], [("etag", "0123456789abcdef0123456789abcdef-4")], [],
        ] as [[(name: String, value: String)]])
    func theETagOfALargeObjectIsNotADigest(fields: [(name: String, value: String)]) throws {
        let head = try Self.inspect(206, [("content-range", "bytes 10-19/100")] + fields).get()
        #expect(head.stated == nil)
        #expect(head.validator?.text == fields.first?.value)
    }

    @Test(
        "Each refused status has a reason and a failure class",
        arguments: [
            (400, .unexpectedStatus, .location), (401, .unauthorized, .credentials), (403, .denied, .credentials),
            (404, .missing, .location), (409, .unreadable, .location), (412, .unexpectedStatus, .location),
            (416, .wrongSize, .location), (429, .throttled, .throttled), (498, .throttled, .throttled),
            (500, .serverError, .backend), (503, .serverError, .backend), (507, .serverError, .backend),
        ] as [(Int, AttemptFailure.Reason, FailureClass)])
    func eachRefusedStatusHasAReasonAndAClass(status: Int, reason: AttemptFailure.Reason, suspected: FailureClass) throws {
        let failure = try Self.inspect(status).failure
        #expect(failure?.reason == reason)
        #expect(failure?.failureClass == suspected)
    }

    @Test("Retry-After is honoured", arguments: [429, 498, 503])
    func retryAfterIsHonoured(status: Int) throws {
        let failure = try Self.inspect(status, [("retry-after", "7")]).failure
        #expect(failure?.retryAfter == .seconds(7))
        #expect(failure?.failureClass == .throttled)
    }

    @Test("A public container is read without a token")
    func aPublicContainerIsReadWithoutAToken() throws {
        let driver = try Self.driver()
        #expect(driver.credentials == nil)
        let request = driver.transferRequest(for: ReadRequest(path: "a b", range: nil))
        #expect(request.headers.map(\.name) == ["User-Agent"])
        #expect(driver.directURL(for: "a b", lifetime: .seconds(60)) == "http://store:8080/v1/AUTH_test/images/a%20b")
    }

    @Test("A prefix is part of the key, and no key leads out of it")
    func aPrefixIsPartOfTheKeyAndNoKeyLeadsOutOfIt() throws {
        let driver = try Self.driver(prefix: "a/b c/")
        for (key, path) in [
            ("d", "d"), ("../d", "%2E%2E/d"), ("a/./b/..", "a/%2E/b/%2E%2E"), ("..d/.e", "..d/.e"), ("/d//", "/d//"),
        ] {
            let url = Self.url(driver.transferRequest(for: ReadRequest(path: key, range: nil)))
            #expect(url == "http://store:8080/v1/AUTH_test/images/a/b%20c/\(path)")
        }
    }

    @Test(
        "A name that is not valid for a container is rejected",
        arguments: ["", "a/b", "..", ".", "a\\b", String(repeating: "x", count: 257)])
    func aNameThatIsNoContainerIsRejected(name: String) {
        #expect(throws: InvalidOpenStackSwiftContainer.name) { try OpenStackSwiftContainer(name) }
    }

    @Test("A prefix that could lead elsewhere is rejected", arguments: ["/a", "a//b", "../a", "a/./b", "a\\b"])
    func aPrefixThatCouldLeadElsewhereIsRejected(prefix: String) {
        #expect(throws: InvalidOpenStackSwiftContainer.prefix) { try OpenStackSwiftContainer("images", prefix: prefix) }
    }

    @Test("Before the first log-in no server is asked")
    func beforeTheFirstLoginNoServerIsAsked() async throws {
        let store = ScriptedStore(account: "http://elsewhere/v1/AUTH_x")
        let driver = try Self.driver(credentials: store.credentials, account: nil, signer: TempURLSigner(key: "k"))
        let read = ReadRequest(path: "a", range: nil)
        #expect(Self.url(driver.transferRequest(for: read)) == "swift:")
        #expect(driver.directURL(for: "a", lifetime: .seconds(1)) == nil)
        try await store.credentials.renew(beyond: 0)
        let request = driver.transferRequest(for: read)
        #expect(Self.url(request) == "http://elsewhere/v1/AUTH_x/images/a")
        #expect(request.headers.last.map { "\($0.name): \($0.value)" } == "X-Auth-Token: hush-token-1")
        #expect(driver.directURL(for: "a", lifetime: .seconds(1))?.hasPrefix("http://elsewhere/v1/AUTH_x/images/a?") == true)
    }

    @Test("Without a key for temporary URLs there are no direct URLs")
    func withoutATempURLKeyThereAreNoDirectURLs() throws {
        let driver = try Self.driver(credentials: ScriptedStore().credentials)
        #expect(driver.directURL(for: "a", lifetime: .seconds(60)) == nil)
        #expect(driver.capabilities == Capabilities())
    }

    @Test(
        "A direct URL lives for at least one second",
        arguments: [(Duration.zero, "1001"), (.milliseconds(1500), "1001"), (.seconds(3600), "4600"), (.seconds(-5), "1001")])
    func aDirectURLLivesForAtLeastOneSecond(lifetime: Duration, end: String) throws {
        let driver = try Self.driver(signer: TempURLSigner(key: "hush-key"))
        let url = try #require(driver.directURL(for: "a", lifetime: lifetime))
        #expect(url.hasSuffix("&temp_url_expires=\(end)"))
        #expect(!url.contains("hush"))
    }

    @Test("No description shows the key, the password or the token")
    func noDescriptionShowsASecret() async throws {
        let store = ScriptedStore()
        try await store.credentials.renew(beyond: 0)
        let driver = try Self.driver(credentials: store.credentials, signer: TempURLSigner(key: "hush-key"))
        let values: [Any] = [driver, store.credentials, store.login, try #require(store.credentials.session)]
        for value in values {
            var text = "\(value) " + String(reflecting: value)
            dump(value, to: &text)
            #expect(!text.contains("hush"), "\(type(of: value))")
        }
    }
}

extension Result {
    var failure: Failure? {
        if case .failure(let failure) = self { failure } else { nil }
    }
}
