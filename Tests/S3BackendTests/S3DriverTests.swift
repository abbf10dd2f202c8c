import BackendKit
import CurlTransfer
import FoundationEssentials
import ImageModel
import Synchronization
import Testing

@testable import S3Backend

@Suite struct S3DriverTests {
    static let credentials = S3Credentials(accessKey: "key", secretKey: "hush-secret", sessionToken: "hush-token")

    static func driver(
        _ credentials: S3Credentials? = credentials, prefix: String = "", now: @escaping @Sendable () -> Date = { Date.now }
    ) throws -> S3Driver {
        let endpoint = try S3Endpoint(
            address: LocationURL("http://store:9000"), bucket: "images", prefix: prefix, style: .path)
        return S3Driver(
            endpoint: endpoint, region: "us-east-1", credentials: credentials, connectTimeout: .seconds(1), now: now)
    }

    static func inspect(_ status: Int, _ fields: [(name: String, value: String)] = []) throws -> Result<
        ObjectHead, AttemptFailure
    > {
        let read = ReadRequest(path: "a", range: ByteRange(first: 10, last: 19))
        return try driver().inspect(ResponseHead(status: status, fields: fields), of: read)
    }

    @Test("The requested range is accepted with its ETag, and a longer one is rejected")
    func theRequestedRangeIsAcceptedWithItsETag() throws {
        let head = try Self.inspect(206, [("content-range", "bytes 10-19/100"), ("etag", "\"abc-4\"")]).get()
        #expect(head == ObjectHead(first: 10, count: 10, total: 100, validator: Validator("\"abc-4\"")))
        #expect(try Self.inspect(206, [("content-range", "bytes 10-20/100")]).failure?.reason == .wrongRange)
        #expect(try Self.inspect(206).failure?.reason == .wrongRange)
        let encoded = [(name: "content-range", value: "bytes 10-19/100"), (name: "content-encoding", value: "aws-chunked, br")]
        #expect(try Self.inspect(206, encoded).failure?.reason == .encoded)
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
        "Each refused status has a reason and a failure class",
        arguments: [
            (301, .redirect, .backend), (307, .redirect, .backend), (400, .denied, .credentials), (401, .denied, .credentials),
            (403, .denied, .credentials), (404, .missing, .location), (416, .wrongSize, .location),
            (429, .throttled, .throttled),
            (500, .serverError, .backend), (503, .throttled, .throttled), (412, .unexpectedStatus, .location),
        ] as [(Int, AttemptFailure.Reason, FailureClass)])
    func eachRefusedStatusHasAReasonAndAClass(status: Int, reason: AttemptFailure.Reason, suspected: FailureClass) throws {
        let failure = try Self.inspect(status).failure
        #expect(failure?.reason == reason)
        #expect(failure?.failureClass == suspected)
    }

    @Test("The ETag of an object uploaded in one part is its MD5")
    func theETagOfAnObjectInOnePartIsItsMD5() throws {
        let md5 = "d41d8cd98f00b204e9800998ecf8427e"
        func stated(_ fields: [(name: String, value: String)]) throws -> Digest? {
            try Self.inspect(206, [("content-range", "bytes 10-19/100")] + fields).get().stated
        }
        #expect(try stated([("etag", "\"\(md5)\"")]) == Digest(.md5, hex: md5))
        #expect(try stated([("etag", "\"\(md5)\""), ("x-amz-server-side-encryption", "AES256")]) == Digest(.md5, hex: md5))
        #expect(try stated([("etag", "\"\(md5)\""), ("x-amz-server-side-encryption", "aws:kms")]) == nil)
        #expect(try stated([("etag", "\"\(md5)\""), ("x-amz-server-side-encryption-customer-algorithm", "AES256")]) == nil)
        for tag in ["\"\(md5)-4\"", "\"v1\"", md5, "\"zz\(md5.dropFirst(2))\""] { #expect(try stated([("etag", tag)]) == nil) }
    }

    @Test("The region that the store names is reported", arguments: [301, 400, 403])
    func theRegionThatTheStoreNamesIsReported(status: Int) throws {
        let detail = try Self.inspect(status, [("x-amz-bucket-region", "eu-central-1")]).failure?.detail
        #expect(detail?.contains("in the region eu-central-1") == true)
        let odd = try Self.inspect(status, [("x-amz-bucket-region", "eu\u{1B}[2J <script>")]).failure?.detail
        #expect(odd?.contains("script") == false)
    }

    @Test("Retry-After is honoured")
    func retryAfterIsHonoured() throws {
        #expect(try Self.inspect(503, [("retry-after", "7")]).failure?.retryAfter == .seconds(7))
        #expect(try Self.inspect(503).failure?.retryAfter == nil)
    }

    @Test("Each read is signed with its own time")
    func eachReadIsSignedWithItsOwnTime() throws {
        let seconds = Mutex(0.0)
        let driver = try Self.driver(now: {
            Date(
                timeIntervalSince1970: seconds.withLock { now in
                    now += 86_400
                    return now
                })
        })
        let read = ReadRequest(path: "a", range: nil)
        let dates = (0..<2).map { _ in driver.transferRequest(for: read).headers.first { $0.name == "x-amz-date" }?.value }
        #expect(dates == ["19700102T000000Z", "19700103T000000Z"])
    }

    @Test("A request uses the configured certificates and proxy")
    func aRequestUsesTheConfiguredAccess() throws {
        let access = OriginAccess(
            authorities: "/ca.pem", clientCertificate: ClientCertificate(certificateFile: "/c", keyFile: "/k", passphrase: nil),
            proxy: Proxy(url: "http://proxy:3128", host: "proxy", credentials: nil))
        let endpoint = try S3Endpoint(address: LocationURL("https://store"), bucket: "images", style: .path)
        let driver = S3Driver(
            endpoint: endpoint, region: "us-east-1", credentials: Self.credentials, connectTimeout: .seconds(1), access: access)
        let request = driver.transferRequest(for: ReadRequest(path: "a", range: nil))
        #expect(request.authorities == "/ca.pem" && request.clientCertificate?.keyFile == "/k")
        #expect(request.proxy?.url == "http://proxy:3128" && request.addresses != nil && request.redirect == nil)
    }

    @Test("A public bucket is read without a signature")
    func aPublicBucketIsReadWithoutASignature() throws {
        let driver = try Self.driver(nil)
        #expect(driver.transferRequest(for: ReadRequest(path: "a b", range: nil)).headers.map(\.name) == ["User-Agent"])
        #expect(driver.directURL(for: "a b", lifetime: .seconds(60)) == "http://store:9000/images/a%20b")
    }

    @Test(
        "A direct URL lives between one second and one week",
        arguments: [
            (Duration.zero, "1"), (.milliseconds(1500), "1"), (.seconds(3600), "3600"), (.seconds(9_999_999), "604800"),
            (.seconds(-5), "1"),
        ])
    func aDirectURLLivesBetweenOneSecondAndOneWeek(lifetime: Duration, expires: String) throws {
        let url = try #require(try Self.driver().directURL(for: "a", lifetime: lifetime))
        #expect(url.contains("&X-Amz-Expires=\(expires)&"))
        #expect(!url.contains("hush-secret"))
    }

    @Test("A prefix is part of the key, and no key leads out of it")
    func aPrefixIsPartOfTheKeyAndNoKeyLeadsOutOfIt() throws {
        let driver = try Self.driver(nil, prefix: "a/b c/")
        #expect(driver.directURL(for: "d", lifetime: .zero) == "http://store:9000/images/a/b%20c/d")
        #expect(driver.directURL(for: "../d", lifetime: .zero) == "http://store:9000/images/a/b%20c/%2E%2E/d")
    }

    @Test("No description shows the secret key or the session token")
    func noDescriptionShowsASecret() {
        var text = "\(Self.credentials) " + String(reflecting: Self.credentials)
        dump(Self.credentials, to: &text)
        let signer = RequestSigner(credentials: Self.credentials, region: "us-east-1")
        dump(signer, to: &text)
        #expect(!text.contains("hush"))
    }
}

@Suite struct S3EndpointTests {
    static func base(_ address: String, _ bucket: String, prefix: String = "", _ style: S3Endpoint.Style) throws -> String {
        try S3Endpoint(address: LocationURL(address), bucket: bucket, prefix: prefix, style: style).base.description
    }

    @Test("The bucket stands in the path or before the host")
    func theBucketStandsInThePathOrBeforeTheHost() throws {
        #expect(try Self.base("https://s3.example:8443", "b", prefix: "x/y/", .path) == "https://s3.example:8443/b/x/y")
        #expect(try Self.base("https://s3.example:443/", "b", prefix: "x", .virtual) == "https://b.s3.example/x")
        #expect(try Self.base("http://127.0.0.1:80", "b", .path) == "http://127.0.0.1/b")
    }

    @Test("A bucket cannot stand before an IP address", arguments: ["127.0.0.1:9000", "[::1]"])
    func aBucketCannotStandBeforeAnAddress(host: String) {
        #expect(throws: InvalidS3Endpoint.address) { try Self.base("http://\(host)", "b", .virtual) }
    }

    @Test("A name that is not valid for a bucket is rejected", arguments: ["", "a/b", "..", "a b", "a@b", "a:b", "ü"])
    func aNameThatIsNoBucketIsRejected(bucket: String) {
        #expect(throws: InvalidS3Endpoint.bucket) { try Self.base("http://store", bucket, .path) }
    }

    @Test("A prefix that could lead elsewhere is rejected", arguments: ["/a", "a//b", "../a", "a/./b", "a\\b"])
    func aPrefixThatCouldLeadElsewhereIsRejected(prefix: String) {
        #expect(throws: InvalidS3Endpoint.prefix) { try Self.base("http://store", "b", prefix: prefix, .path) }
    }
}

extension Result {
    var failure: Failure? {
        if case .failure(let failure) = self { failure } else { nil }
    }
}
