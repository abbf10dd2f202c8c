import FaultyOrigin
import Foundation
import Testing

/// Invalid requests: each gets a clear error, and nothing is lost or changed.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct BadInputScenarios {
    static let content = PatternedContent(size: 100_003, seed: 31)
    static let sha256 = content.sha256

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let body: String
        let status: Int
        let message: String

        init(_ body: String, _ status: Int, _ message: String) {
            testDescription = String(body.prefix(120))
            self.body = body
            self.status = status
            self.message = message
        }
    }

    static let images: [Case] = [
        Case("", 400, "not valid JSON"), Case("{", 400, "not valid JSON"), Case("[]", 400, "JSON object"),
        Case("\"x\"", 400, "JSON object"), Case(#"{"name": 5}"#, 400, "name"), Case(#"{"id": "no-uuid"}"#, 400, "UUID"),
        Case(#"{"disk_format": "floppy"}"#, 400, "disk_format"), Case(#"{"min_disk": -1}"#, 400, "min_disk"),
        Case(#"{"min_ram": 99999999999999999999}"#, 400, "min_ram"), Case(#"{"tags": "x"}"#, 400, "tags"),
        Case(#"{"visibility": "secret"}"#, 400, "visibility"), Case(#"{"protected": "yes"}"#, 400, "protected"),
        Case(#"{"size": 5}"#, 403, "size"), Case(#"{"status": "active"}"#, 403, "status"),
        Case(#"{"name": "\#(String(repeating: "x", count: 256))"}"#, 400, "255"),
        Case(#"{"x": "\#(String(repeating: "y", count: 1 << 20))"}"#, 413, "longer than"),
        Case(String(repeating: "[", count: 100_000), 400, "nested"),
        Case(#"{"x": \#(String(repeating: "[", count: 400))\#(String(repeating: "]", count: 400))}"#, 400, "nested"),
    ]

    @Test("An invalid image is refused with the reason", arguments: images)
    func anInvalidImageIsRefusedWithTheReason(request: Case) async throws {
        let baton = try await BatonProcess(backends: [:])
        let response = try await baton.send("POST", "/v2/images", body: request.body)
        #expect(response.status == request.status)
        #expect(response.errorMessage.contains(request.message), "\(response.text)")
        #expect((try await baton.send("GET", "/v2/images").json["images"] as? [Any])?.isEmpty == true)
    }

    @Test("A request body is limited in size and in content")
    func requestBodiesAreLimited() async throws {
        let baton = try await BatonProcess(backends: [:])
        let image = try await baton.addImage()
        let long = String(repeating: "x", count: 70_000)
        let many = #"{"x": [\#(String(repeating: "{},", count: 20_000)){}]}"#
        for (path, body, status, message) in [
            ("/v2/images/\(image)/members", #"{"member": "\#(long)"}"#, 413, "longer than 65536"),
            ("/v2/images/\(image)/locations", #"{"url": "\#(long)"}"#, 413, "longer than 65536"),
            (
                "/baton/v1/images/\(image)/locations", #"{"url": "http://x/", "metadata": {"x": "\#(long)"}}"#, 403,
                "no configured backend"
            ),
            ("/v2/images", many, 400, "16384 values"),
        ] {
            let answer = try await baton.send("POST", path, body: body)
            #expect(answer.status == status && answer.errorMessage.contains(message), "\(path) \(answer.text)")
        }
    }

    @Test("An unauthorised request is refused before its body is read")
    func rolesComeBeforeBodies() async throws {
        let holders = try TokenHolders()
        let baton = try await holders.server()
        let image = try await baton.addImage()
        let patch = [
            "X-Auth-Token": TokenHolders.token(of: "reader"), "Content-Type": "application/openstack-images-v2.1-json-patch",
        ]
        #expect(try await baton.send("POST", "/v2/images", as: "reader", body: "{").status == 403)
        #expect(try await baton.send("PATCH", "/v2/images/\(image)", headers: patch, body: "{").status == 403)
        #expect(try await baton.send("POST", "/v2/images/\(image)/members", as: "other", body: "{").status == 404)
        #expect(try await baton.send("POST", "/v2/images/\(image)/locations", as: "other", body: "{").status == 404)
    }

    @Test("A list with too many filters is refused with a message that names the limit")
    func tooManyFilters() async throws {
        let baton = try await BatonProcess(backends: [:])
        for count in [65, 1000, 5000] {
            let query = Array(repeating: "a=b", count: count).joined(separator: "&")
            let answer = try await baton.send("GET", "/v2/images?\(query)")
            #expect(answer.status == 400 && answer.errorMessage.contains("at most 64 filters"), "\(answer.text)")
        }
    }

    /// `ORIGIN` stands for the origin's address, `GOOD` for a valid size and digest.
    static let good = #""size": \#(content.size), "digests": {"sha256": "\#(sha256)"}"#
    static let locations: [Case] = [
        Case(#"{"url": "ORIGIN/image", "digests": "abc"}"#, 400, "digests"),
        Case(#"{GOOD}"#, 400, "url"),
        Case(#"{"url": "ORIGIN/image", "size": -5, "digests": {"sha256": "\#(sha256)"}}"#, 400, "size"),
        Case(#"{"url": "ORIGIN/image", "size": 9223372036854775807, "digests": {"sha256": "\#(sha256)"}}"#, 400, "size"),
        Case(#"{"url": "ORIGIN/image", "size": 1e400, "digests": {"sha256": "\#(sha256)"}}"#, 400, "not valid JSON"),
        Case(#"{"url": "ORIGIN/image", "size": 1.5, "digests": {"sha256": "\#(sha256)"}}"#, 400, "size"),
        Case(#"{"url": "ORIGIN/image", "size": "5", "digests": {"sha256": "\#(sha256)"}}"#, 400, "size"),
        Case(#"{"url": "ORIGIN/image", "size": 5, "digests": {"sha256": "abc"}}"#, 400, "64 hexadecimal digits"),
        Case(#"{"url": "ORIGIN/image", "size": 5, "digests": {"sha512": "\#(sha256)"}}"#, 400, "128 hexadecimal digits"),
        Case(#"{"url": "ORIGIN/image", "size": 5, "digests": {"md5": "\#(sha256)"}}"#, 400, "32 hexadecimal digits"),
        Case(
            #"{"url": "ORIGIN/image", "size": 5, "digests": {"sha256": "\#(String(repeating: "z", count: 64))"}}"#, 400,
            "hexadecimal"),
        Case(#"{"url": "ORIGIN/image", "size": 5, "digests": {"crc32": "00"}}"#, 400, "crc32"),
        Case(#"{"url": "ORIGIN/image", GOOD, "colour": "red"}"#, 400, "colour"),
        Case(#"{"url": "http://user:secret@127.0.0.1/image", GOOD}"#, 400, "credentials"),
        Case(#"{"url": "ORIGIN/../image", GOOD}"#, 400, "segment . or .."),
        Case(#"{"url": "ORIGIN/a/%2e%2E/image", GOOD}"#, 400, "segment . or .."),
        Case(#"{"url": "ORIGIN/a/..%2fimage", GOOD}"#, 400, "escape"),
        Case(#"{"url": "ORIGIN/a%00b", GOOD}"#, 400, "escape"),
        Case(#"{"url": "ORIGIN/image?x=1", GOOD}"#, 400, "query"),
        Case(#"{"url": "ORIGIN/a b", GOOD}"#, 400, "percent-encode"),
        Case(#"{"url": "gopher://127.0.0.1/image", GOOD}"#, 400, "gopher"),
        Case(#"{"url": "image", GOOD}"#, 400, "no scheme"),
        Case(
            #"{"url": "http://169.254.169.254/latest/meta-data", GOOD}"#, 403, "no configured backend; configured are: origin"),
        Case(#"{"url": "file:///etc/passwd", GOOD}"#, 403, "no configured backend"),
        Case(#"{"url": "http://127.0.0.1:1/image", GOOD}"#, 403, "no configured backend"),
        Case(#"{"url": "ORIGIN/image", GOOD, "tier": -1}"#, 400, "tier"),
        Case(#"{"url": "ORIGIN/image", GOOD, "weight": "heavy"}"#, 400, "weight"),
        Case(#"{"url": "ORIGIN/image", GOOD, "metadata": {"a": 1}}"#, 400, "a"),
        Case(#"{"url": "ORIGIN/image", GOOD, "disk_format": "floppy"}"#, 400, "disk_format"),
    ]

    @Test("An invalid location is refused with the reason")
    func anInvalidLocationIsRefusedWithTheReason() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin])
        let image = try await baton.addImage()
        for request in Self.locations {
            let body = request.body.replacingOccurrences(of: "ORIGIN", with: "http://127.0.0.1:\(origin.port)")
                .replacingOccurrences(of: "GOOD", with: Self.good)
            let response = try await baton.send("POST", "/baton/v1/images/\(image)/locations", body: body)
            #expect(response.status == request.status, "\(body)")
            #expect(response.errorMessage.contains(request.message), "\(body) → \(response.text)")
            #expect(!response.text.contains("secret"))
        }
        #expect(try await baton.locations(of: image).isEmpty)
        #expect(origin.record.requests.isEmpty, "nothing was fetched")
        #expect(!baton.rawLog.contains("secret"))
    }

    @Test("A location with other content, or with a URL that is already registered, is refused")
    func aLocationThatConflictsWithTheImageIsRefused() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin])
        let image = try await baton.addImage(of: Self.content, at: [origin.url()])
        let path = "/baton/v1/images/\(image)/locations"
        let otherDigest = String(repeating: "0", count: 64)
        for (body, what) in [
            (#"{"url": "\#(origin.url("b"))", "size": 7, "digests": {"sha256": "\#(Self.sha256)"}}"#, "7"),
            (
                #"{"url": "\#(origin.url("b"))", "size": \#(Self.content.size), "digests": {"sha256": "\#(otherDigest)"}}"#,
                otherDigest
            ),
            (#"{"url": "\#(origin.url())", \#(Self.good)}"#, "already"),
        ] {
            let response = try await baton.send("POST", path, body: body)
            #expect(response.status == 409)
            #expect(response.errorMessage.contains(what), "\(response.text)")
        }
        #expect(try await baton.locations(of: image).count == 1)
    }

    @Test("A NUL in any text is refused with 400, in Baton's own routes too")
    func nulInBatonsOwnRequests() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin])
        let image = try await baton.addImage(of: Self.content, at: [origin.url()])
        let location = try #require(try await baton.locations(of: image).first?["id"] as? String)
        let own = "/baton/v1/locations/\(location)"
        for (method, path, body) in [
            ("POST", "\(own)/disable", #"{"reason": "a\u0000b"}"#), ("PATCH", own, #"{"metadata": {"a\u0000": "b"}}"#),
            ("PATCH", own, #"{"metadata": {"a": "b\u0000"}}"#),
            ("POST", "/baton/v1/images/\(image)/locations", #"{"url": "\u0000"}"#),
            ("GET", "/baton/v1/images/\(image)/explain?for=%00", ""), ("GET", "/baton/v1/locations/%00", ""),
            ("GET", "/v2/images?name=%00", ""), ("GET", "/%00", ""), ("GET", "/healthz?%00", ""),
            ("POST", "/v2/images/\(image)/members", #"{"member": "\u0000"}"#),
        ] {
            let response = try await baton.send(method, path, body: body)
            #expect(response.status == 400 && response.errorMessage.contains("NUL"), "\(method) \(path): \(response.text)")
        }
        #expect(try await baton.locations(of: image).first?["status"] as? String == "active")
    }

    @Test("An id that is not a UUID names no image", arguments: ["nonsense", "1", "..", "ffffffff-ffff-ffff-ffff-fffffffffff"])
    func anIdThatIsNotAUUIDNamesNoImage(id: String) async throws {
        let baton = try await BatonProcess(backends: [:])
        for path in ["/v2/images/\(id)", "/v2/images/\(id)/file", "/baton/v1/images/\(id)/locations"] {
            let response = try await baton.send("GET", path)
            #expect([404, 300].contains(response.status), "\(path): \(response.status)")
        }
    }

    @Test("Invalid list parameters are refused")
    func invalidListParametersAreRefused() async throws {
        let baton = try await BatonProcess(backends: [:])
        for query in ["limit=-1", "limit=many", "marker=x", "marker=\(UUID().uuidString)", "visibility=dim"] {
            let response = try await baton.send("GET", "/v2/images?\(query)")
            #expect(response.status == 400, "\(query)")
            #expect(!response.errorMessage.isEmpty)
        }
    }

    @Test(
        "Bytes that are not HTTP end their connection and nothing else",
        arguments: [
            "\r\n\r\n", "nonsense\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\u{16}\u{03}\u{01}\u{02}\u{00}",
            "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        ])
    func bytesThatAreNotHTTPEndOnlyTheirConnection(text: String) async throws {
        let baton = try await BatonProcess(backends: [:], settings: "server: { idle_timeout: 1s }")
        let port = baton.port
        let response = try await onOwnThread {
            let client = try TestClient(port: port)
            try client.sendRaw(text)
            return client.receiveHead()
        }
        #expect(response.status != 200)
        #expect(try await baton.send("GET", "/healthz").status == 200)
    }
}
