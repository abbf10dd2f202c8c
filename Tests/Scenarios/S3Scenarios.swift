import BackendKit
import FaultyOrigin
import Foundation
import Testing

@testable import S3Backend

/// A store with the part of S3 that reads need: it serves requests with a valid signature and refuses all others.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct S3Scenarios {
    static let content = PatternedContent(size: 5_000_011, seed: 77)
    static let secret = "hush-secret/+"

    /// Signs the received request again and compares.
    static func isSigned(_ request: OriginRequest, token: String? = nil) -> Bool {
        guard let host = request["host"], let stamp = request["x-amz-date"],
            let date = try? Date(
                "\(stamp.prefix(4))-\(stamp.dropFirst(4).prefix(2))-\(stamp.dropFirst(6).prefix(5)):\(stamp.dropFirst(11).prefix(2)):"
                    + "\(stamp.dropFirst(13).prefix(3))", strategy: .iso8601),
            abs(date.timeIntervalSinceNow) < 60, request["x-amz-security-token"] == token
        else { return false }
        let signer = RequestSigner(
            credentials: S3Credentials(accessKey: "test:tester", secretKey: secret, sessionToken: token), region: "eu-1")
        let range = request["range"].map { [(name: "range", value: $0)] } ?? []
        let expected = signer.headers(method: request.method, path: request.path, host: host, headers: range, at: date)
        return request["authorization"] == expected.last?.value
    }

    private func server(_ origins: [String: FaultyOrigin], token: Bool = false) async throws -> BatonProcess {
        let directory = try TestDirectory()
        let secret = try directory.write(Self.secret + "\n", to: "secret")
        let session = try directory.write("hush-token==\n", to: "token")
        var keys = #"bucket: images, region: eu-1, access_key: "test:tester", secret_key_file: "\#(secret)""#
        if token { keys += #", session_token_file: "\#(session)""# }
        return try await BatonProcess(
            backends: origins.mapValues { #"driver: s3, url: "\#($0.url(""))", \#(keys)"# }, directory: directory,
            logLevel: "trace")
    }

    @Test(
        "Any key is read with a signature that is valid on the wire", arguments: ["a", "a b/c+d%", "..up//...x/.y/", "/ä?#&=;"])
    func anyKeyIsReadWithAValidSignature(key: String) async throws {
        let store = try FaultyOrigin(Self.content) { Self.isSigned($0) ? .sound : .status(403) }
        defer { store.stop() }
        let baton = try await server(["store": store])
        let path = LocationURL.encode(path: key)
        let image = try await baton.addImage(of: Self.content, at: ["s3://store/\(path)"])
        let response = try await baton.download(image, of: Self.content)
        #expect(response.isComplete)
        #expect(response.firstWrongByte == nil)
        #expect(store.record.requests.allSatisfy { $0.path == "/images/\(path)" })
        #expect(store.record.downloads.count == 1)
    }

    @Test(
        "A key with dot segments is refused before the store is asked",
        arguments: [
            "..", ".", "../secrets/x", "a/../b", "a/..", "./a", "a/./b", "%2e%2e/x", "a/%2E%2E/b", "a%2F..%2Fb", "a/.%2e/b",
        ])
    func aKeyWithDotSegmentsIsRefused(key: String) async throws {
        let store = try FaultyOrigin(Self.content)
        defer { store.stop() }
        let baton = try await server(["store": store])
        let image = try await baton.addImage()
        let response = try await baton.send(
            "POST", "/baton/v1/images/\(image)/locations", body: #"{"url": "s3://store/\#(key)"}"#)
        #expect(response.status == 400 && response.errorMessage.contains("a segment . or .."), "\(response.text)")
        #expect(store.record.requests.isEmpty)
    }

    @Test("Failover makes new signatures, and no secret is logged")
    func failoverMakesNewSignatures() async throws {
        let first = try FaultyOrigin(Self.content) { request in
            guard Self.isSigned(request, token: "hush-token==") else { return .status(403) }
            return request.isProbe ? .sound : .reset(after: 2_000_000)
        }
        defer { first.stop() }
        let second = try FaultyOrigin(Self.content) { Self.isSigned($0, token: "hush-token==") ? .sound : .status(403) }
        defer { second.stop() }
        let baton = try await server(["first": first, "second": second], token: true)
        let image = try await baton.addImage(of: Self.content, at: ["s3://first/x", second.url("images/x")])
        let response = try await baton.download(image, of: Self.content)
        #expect(response.isComplete)
        #expect(response.firstWrongByte == nil)
        let relay = await baton.relay(of: image)
        #expect(relay.fields["failures"]?.first?.hasPrefix("first reset:") == true)
        for word in ["hush", "Signature", "AWS4"] { #expect(!baton.rawLog.contains(word)) }
    }

    @Test("A location that denies access is tried only once in a download")
    func aLocationThatDeniesAccessIsTriedOnce() async throws {
        let closed = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .status(403) }
        defer { closed.stop() }
        let open = try FaultyOrigin(Self.content)
        defer { open.stop() }
        let baton = try await server(["closed": closed, "open": open])
        let image = try await baton.addImage(of: Self.content, at: ["s3://closed/x", "s3://open/x"])
        let response = try await baton.download(image, of: Self.content)
        #expect(response.isComplete)
        #expect(closed.record.downloads.count == 1)
        let relay = await baton.relay(of: image)
        #expect(relay.fields["failures"]?.first?.hasPrefix("closed denied:") == true)
    }

    @Test(
        "An error in a bucket's keys is reported",
        arguments: [
            (#"url: "http://store""#, "b.bucket: is missing"), (#"bucket: abc"#, "b.url: is missing"),
            (#"url: "http://127.0.0.1", bucket: abc, style: virtual"#, "b.url: is an address"),
            (#"url: "http://store", bucket: "a/b""#, "b.bucket: is not a bucket name"),
            (#"url: "http://store", bucket: abc, prefix: "../x""#, "b.prefix: has an empty segment, a dot segment"),
            (#"url: "http://store", bucket: abc, access_key: key"#, "b.access_key: needs secret_key_file or secret_key_env"),
            (#"url: "http://store", bucket: abc, secret_key_env: PATH"#, "b.secret_key_env: needs access_key"),
            (
                #"url: "http://store", bucket: abc, access_key: key, secret_key_env: hush-secret"#,
                "b.secret_key_env: names no environment variable that is set"
            ),
            (
                #"url: "http://store", bucket: abc, access_key: key, secret_key_file: /nowhere/hush, secret_key_env: PATH"#,
                "b.secret_key_env: can't be combined with secret_key_file"
            ),
            (#"url: "http://store", bucket: abc, region: "a/b""#, "b.region: is not the name of a region"),
            (#"url: "http://key:hush@store", bucket: abc"#, "b.url: the URL holds credentials"),
        ])
    func anErrorInABucketsKeysIsReported(keys: String, expected: String) async throws {
        let directory = try TestDirectory()
        let file = try directory.write("backends:\n  b: { driver: s3, \(keys) }\n", to: "baton.yaml")
        let checked = try await BatonCommand.run(["check", "--config", file])
        #expect(checked.status != 0)
        #expect(checked.errors.contains(expected))
        #expect(!checked.errors.contains("hush-secret") && !checked.errors.contains("key:hush"))
    }
}
