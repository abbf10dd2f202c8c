import FaultyOrigin
import Testing

/// Baton keeps a caller's header fields to itself.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct CallersTokenScenarios {
    static let content = PatternedContent(size: 2_000_003, seed: 93)
    /// All header fields that a backend may receive, including those of S3's signature.
    static let expected: Set<String> = [
        "host", "user-agent", "accept", "accept-encoding", "range", "cache-control", "authorization", "x-amz-content-sha256",
        "x-amz-date",
    ]
    static let fields = [
        "Cookie": "session=hush-cookie", "Forwarded": "for=hush-forwarded", "X-Forwarded-For": "hush-address",
        "Proxy-Authorization": "Basic hush-proxy", "Referer": "http://hush-referer/", "X-Service-Token": "hush-service",
        "X-Custom": "hush-custom", "User-Agent": "hush-agent", "Accept": "hush/type", "Accept-Encoding": "hush-gzip",
        "traceparent": "hush-trace", "X-Openstack-Request-Id": "req-hush", "Origin": "http://hush-origin",
    ]

    @Test("No header field of a caller reaches a backend", arguments: ["X-Auth-Token", "Authorization"])
    func noFieldOfACallerReachesABackend(name: String) async throws {
        let holders = try TokenHolders()
        let secret = try holders.directory.write("own-secret\n", to: "secret")
        let web = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .reset(after: 500_000) }
        defer { web.stop() }
        let store = try FaultyOrigin(Self.content)
        defer { store.stop() }
        let baton = try await holders.server(
            backends: [
                "web": #"driver: http, url: "\#(web.url(""))""#,
                "store": #"driver: s3, bucket: b, url: "\#(store.url(""))", access_key: own, secret_key_file: "\#(secret)""#,
            ], logLevel: "trace")
        let token = TokenHolders.token(of: "admin")
        let shown = Self.fields.merging([name: name == "Authorization" ? "Bearer \(token)" : token]) { _, new in new }
        let image = try await baton.addImage()
        for url in [web.url(), "s3://store/image"] {
            let added = try await baton.send(
                "POST", "/baton/v1/images/\(image)/locations", headers: shown,
                body: #"{"url": "\#(url)", "size": \#(Self.content.size), "digests": {"sha256": "\#(Self.content.sha256)"}}"#)
            #expect(added.status == 201)
        }
        for range in ["bytes=0-", "bytes=7-1000000"] {
            let response = try await baton.download(
                image, of: Self.content, headers: shown.merging(["Range": range]) { _, new in new },
                from: range.hasSuffix("0-") ? 0 : 7)
            #expect(response.isComplete && response.firstWrongByte == nil)
        }
        for (origin, authorization) in [(web, false), (store, true)] {
            #expect(origin.record.downloads.count > 0)
            for request in origin.record.requests {
                let names = Set(request.headers.map(\.name))
                #expect(names.isSubset(of: Self.expected), "\(names)")
                #expect((request["authorization"] != nil) == authorization)
                #expect(!request.headers.contains { $0.value.contains("hush") }, "\(request.headers)")
                #expect(!request.path.contains("hush"))
            }
        }
        #expect(!baton.rawLog.contains(token))
    }
}
