import FaultyOrigin
import Foundation
import Testing

@testable import S3Backend

/// Trusted clients that are redirected to a location, with real sockets from end to end.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct DirectScenarios {
    static let content = PatternedContent(size: 3_000_017, seed: 91)

    /// The port and the path of a URL on this machine.
    static func parts(of url: String?) throws -> (port: Int, path: String) {
        let match = try #require(url?.wholeMatch(of: /http:\/\/127\.0\.0\.1:([0-9]+)(\/.*)/))
        return (try #require(Int(match.1)), String(match.2))
    }

    @Test("A trusted client is redirected to nginx and reads the exact image there")
    func aTrustedClientIsRedirectedToNginx() async throws {
        let nginx = try await NginxServer()
        let url = try nginx.serve(Self.content)
        let baton = try await TokenHolders().server(backends: [
            "web": #"driver: http, url: "\#(nginx.url(""))", redirect: true"#
        ])
        let image = try await baton.addImage(of: Self.content, at: [url])
        let path = "/v2/images/\(image)/file?direct=true"
        let unverified = try await baton.send("HEAD", path, as: "trusted")
        #expect(unverified.status == 200 && unverified.headers["baton-direct"] == "none; reason=not-verified")
        // The first whole download verifies its only location.
        #expect(try await baton.download(image, of: Self.content).isComplete)
        try await baton.waitUntilVerified(image)
        let sent = try await baton.send("GET", path, as: "trusted")
        #expect(sent.status == 307 && sent.headers["location"] == url && sent.headers["cache-control"] == "no-store")
        let target = try Self.parts(of: sent.headers["location"])
        let read = try await TestClient.exchange("GET", target.path, port: target.port, expected: (Self.content, 0))
        #expect(read.isComplete && read.firstWrongByte == nil)
        #expect(read.headers["content-type"] == "application/octet-stream")
        let streamed = try await baton.download(
            image, of: Self.content, headers: ["X-Auth-Token": TokenHolders.token(of: "trusted")])
        #expect(streamed.headers["link"] == "<\(url)>; rel=duplicate; pri=1" && streamed.firstWrongByte == nil)
        let reader = try await TestClient.exchange(
            "GET", path, port: baton.port, headers: ["X-Auth-Token": TokenHolders.token(of: "reader")],
            expected: (Self.content, 0))
        #expect(reader.status == 200 && reader.isComplete && reader.firstWrongByte == nil)
        #expect(reader.headers["baton-direct"] == "none; reason=not-trusted" && reader.headers["link"] == nil)
    }

    /// S3 and OpenStack Swift ignore If-Range: they would send a part of other content.
    @Test("A client that resumes other content is not redirected")
    func aClientThatResumesOtherContentIsNotRedirected() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let baton = try await TokenHolders().server(backends: [
            "web": #"driver: http, url: "\#(origin.url(""))", redirect: true"#
        ])
        let image = try await baton.addImage(of: Self.content, at: [origin.url()])
        #expect(try await baton.download(image, of: Self.content).isComplete)
        try await baton.waitUntilVerified(image)
        func ask(_ tag: String) async throws -> TestClient.Response {
            try await TestClient.exchange(
                "GET", "/v2/images/\(image)/file?direct=true", port: baton.port,
                headers: [
                    "X-Auth-Token": TokenHolders.token(of: "trusted"), "Range": "bytes=1000-", "If-Range": tag,
                ], expected: (Self.content, 0))
        }
        #expect(try await ask("\"sha256-\(Self.content.sha256)\"").status == 307)
        let other = try await ask("\"another\"")
        #expect(other.status == 200 && other.isComplete && other.firstWrongByte == nil)
        #expect(other.headers["baton-direct"] == "none; reason=other-content")
    }

    /// Signs the received request again and compares; also checks the expiry, as stores do.
    static func isPresigned(_ request: OriginRequest) -> Bool {
        let halves = request.path.split(separator: "?", maxSplits: 1)
        guard request.method == "GET", halves.count == 2, let host = request["host"],
            let stamp = halves[1].firstMatch(of: /X-Amz-Date=(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/),
            let date = try? Date("\(stamp.1)-\(stamp.2)-\(stamp.3)T\(stamp.4):\(stamp.5):\(stamp.6)Z", strategy: .iso8601),
            let lifetime = halves[1].firstMatch(of: /X-Amz-Expires=(\d+)/).flatMap({ Int($0.1) }),
            date.addingTimeInterval(Double(lifetime)) > .now
        else { return false }
        let signer = RequestSigner(
            credentials: S3Credentials(accessKey: "test:tester", secretKey: S3Scenarios.secret), region: "eu-1")
        let expected = signer.presignedQuery(
            method: "GET", path: String(halves[0]), host: host,
            parameters: [(name: "response-content-type", value: "application/octet-stream")], lifetime: lifetime, at: date)
        return expected == halves[1]
    }

    private static func bucket(at store: FaultyOrigin, lifetime: String) async throws -> BatonProcess {
        let directory = try TestDirectory()
        let secret = try directory.write(S3Scenarios.secret + "\n", to: "secret")
        let keys =
            #"bucket: images, region: eu-1, access_key: "test:tester", secret_key_file: "\#(secret)", redirect: true"#
        return try await BatonProcess(
            backends: ["store": #"driver: s3, url: "\#(store.url(""))", \#(keys)"#],
            settings: "direct: { lifetime: \(lifetime) }", directory: directory, logLevel: "trace")
    }

    @Test("A presigned URL reads one object for a limited time and nothing else")
    func aPresignedURLReadsOneObjectForALimitedTime() async throws {
        let store = try FaultyOrigin(Self.content) {
            S3Scenarios.isSigned($0) || Self.isPresigned($0) ? .sound : .status(403)
        }
        defer { store.stop() }
        let baton = try await Self.bucket(at: store, lifetime: "120s")
        let image = try await baton.addImage(of: Self.content, at: ["s3://store/a%20b"])
        #expect(try await baton.download(image, of: Self.content).isComplete)
        try await baton.waitUntilVerified(image)
        let sent = try await baton.send("GET", "/v2/images/\(image)/file?direct=true")
        #expect(sent.status == 307)
        let (port, path) = try Self.parts(of: sent.headers["location"])
        #expect(path.contains("X-Amz-Expires=120&") && path.contains("response-content-type=application%2Foctet-stream"))
        let host = ["Host": "127.0.0.1:\(port)"]
        let read = try await TestClient.exchange("GET", path, port: port, headers: host, expected: (Self.content, 0))
        #expect(read.isComplete && read.firstWrongByte == nil)
        let part = try await TestClient.exchange(
            "GET", path, port: port, headers: host.merging(["Range": "bytes=1000000-"]) { $1 },
            expected: (Self.content, 1_000_000))
        #expect(part.status == 206 && part.isComplete && part.firstWrongByte == nil)
        for (from, to) in [
            ("/a%20b?", "/a%20c?"), ("Expires=120&", "Expires=9999&"), ("octet-stream", "x-sh"), ("Signature=", "Signature=0"),
        ] {
            let altered = path.replacingOccurrences(of: from, with: to)
            #expect(altered != path)
            #expect(try await TestClient.exchange("GET", altered, port: port, headers: host).status == 403, "\(to)")
        }
        let got = try await BatonCommand.run([
            "get", image, "-o", baton.directory.file("out"), "--direct", "--endpoint", "http://127.0.0.1:\(baton.port)",
        ])
        #expect(got.status == 0 && got.output.contains(/store +0 +3000016/), "\(got)")
        let list = try await baton.send("GET", "/baton/v1/images/\(image)/direct")
        let place = (list.json["locations"] as? [[String: Any]])?.first
        let expires = try Date(try #require(place?["expires"] as? String), strategy: .iso8601)
        #expect(expires > .now && expires <= .now.addingTimeInterval(120))
        for word in ["hush", "Signature", "AWS4"] { #expect(!baton.rawLog.contains(word)) }
        #expect(!list.text.contains("hush"))
    }

    @Test("A presigned URL is refused after it expires")
    func aPresignedURLIsRefusedAfterItExpires() async throws {
        let store = try FaultyOrigin(Self.content) {
            S3Scenarios.isSigned($0) || Self.isPresigned($0) ? .sound : .status(403)
        }
        defer { store.stop() }
        let baton = try await Self.bucket(at: store, lifetime: "1s")
        let image = try await baton.addImage(of: Self.content, at: ["s3://store/a"])
        #expect(try await baton.download(image, of: Self.content).isComplete)
        try await baton.waitUntilVerified(image)
        let sent = try await baton.send("GET", "/v2/images/\(image)/file?direct=true")
        let (port, path) = try Self.parts(of: sent.headers["location"])
        let head = ["Host": "127.0.0.1:\(port)", "Range": "bytes=0-0"]
        try await eventually("the URL to expire") {
            try await TestClient.exchange("GET", path, port: port, headers: head).status == 403
        }
        // The next URL is a new one, which works.
        let again = try await baton.send("GET", "/v2/images/\(image)/file?direct=true")
        #expect(again.status == 307 && again.headers["location"] != sent.headers["location"])
    }

    /// The usual curl command, and the request that reaches the location.
    @Test("curl does not send the bearer token on to the location")
    func curlDoesNotSendTheTokenOnToTheLocation() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let baton = try await TokenHolders().server(backends: [
            "web": #"driver: http, url: "\#(origin.url(""))", redirect: true"#
        ])
        let image = try await baton.addImage(of: Self.content, at: [origin.url()])
        #expect(try await baton.download(image, of: Self.content).isComplete)
        try await baton.waitUntilVerified(image)
        let file = baton.directory.file("out")
        let got = try await BatonCommand.run(
            [
                "--silent", "--show-error", "--fail", "--location", "--output", file, "--header",
                "Authorization: Bearer \(TokenHolders.token(of: "trusted"))",
                "http://127.0.0.1:\(baton.port)/v2/images/\(image)/file?direct=true",
            ], program: "/usr/bin/curl")
        #expect(got.status == 0, "\(got.errors)")
        #expect([UInt8](try Data(contentsOf: URL(filePath: file))) == Self.content.bytes(in: 0..<Self.content.size))
        let request = try #require(origin.record.requests.last)
        #expect(request["user-agent"]?.hasPrefix("curl/") == true && request["authorization"] == nil)
    }

    @Test("Callers in a trusted network are trusted, and a trusted proxy names their address")
    func callersInATrustedNetworkAreTrusted() async throws {
        let holders = try TokenHolders()
        func server(_ lists: String) async throws -> BatonProcess {
            try await BatonProcess(
                backends: [:], settings: holders.settings.replacingOccurrences(of: " }", with: ", \(lists) }"),
                token: TokenHolders.token(of: "reader"))
        }
        func status(_ baton: BatonProcess, _ forwardedFor: String? = nil, token: String = "reader") async throws -> Int {
            var headers = ["X-Auth-Token": TokenHolders.token(of: token)]
            headers["X-Forwarded-For"] = forwardedFor
            // 404: the caller is allowed, and there is no such image.
            return try await baton.send("GET", "/baton/v1/images/\(UUID())/direct", headers: headers).status
        }
        let inside = try await server("trusted_networks: [127.0.0.0/8]")
        #expect(try await status(inside) == 404)
        #expect(try await status(inside, token: "nobody") == 403, "a network does not replace a login")
        #expect(try await status(inside, token: "wrong") == 401)
        let outside = try await server("trusted_networks: [203.0.113.0/24]")
        #expect(try await status(outside) == 403)
        #expect(try await status(outside, "203.0.113.9") == 403, "any client can send that field")
        let behind = try await server("trusted_networks: [127.0.0.0/8, 203.0.113.0/24], trusted_proxies: [127.0.0.1]")
        #expect(try await status(behind, "203.0.113.9") == 404)
        #expect(try await status(behind, "203.0.113.9, 198.51.100.1") == 403)
        #expect(try await status(behind) == 403)
    }

    @Test(
        "An error in the key redirect is reported",
        arguments: [
            (#"driver: file, root: "/srv/images", redirect: true"#, "b.redirect: is not for the driver file"),
            (#"driver: http, url: "http://store/", redirect: maybe"#, "b.redirect: \"maybe\" is neither true nor false"),
        ])
    func anErrorInTheKeyRedirectIsReported(keys: String, expected: String) async throws {
        let directory = try TestDirectory()
        let file = try directory.write("backends:\n  b: { \(keys) }\n", to: "baton.yaml")
        let checked = try await BatonCommand.run(["check", "--config", file])
        #expect(checked.status == 1 && checked.errors.contains(expected), "\(checked.errors)")
    }
}
