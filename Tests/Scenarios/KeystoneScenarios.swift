import FaultyOrigin
import Foundation
import Testing

/// Tokens of a real Keystone, and its failure.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct KeystoneScenarios {
    static let content = PatternedContent(size: 40_000_003, seed: 52)

    /// The credentials with which Baton asks Keystone.
    enum Asking: String, CaseIterable {
        case callersOwn, password, applicationCredential
    }

    private func server(
        _ keystone: KeystoneProcess, asking: Asking = .password, cache: String = "1s",
        backends: [String: String] = [:], token: String? = nil
    ) async throws -> BatonProcess {
        let directory = try TestDirectory()
        var settings = #"url: "\#(keystone.url)/v3", cache: \#(cache), timeout: 2s"#
        switch asking {
        case .callersOwn: break
        case .password:
            let file = try directory.write((keystone.users["baton"]?.password ?? "") + "\n", to: "password")
            settings += #", user: baton, project: service, password_file: "\#(file)""#
        case .applicationCredential:
            let (id, secret) = try await keystone.applicationCredential(of: "baton")
            let file = try directory.write(secret, to: "secret")
            settings += #", application_credential_id: "\#(id)", application_credential_secret_file: "\#(file)""#
        }
        return try await BatonProcess(
            backends: backends, settings: "auth: { mode: keystone, keystone: { \(settings) } }", directory: directory,
            token: token)
    }

    private func status(_ baton: BatonProcess, _ method: String = "GET", _ path: String = "/v2/images", token: String?)
        async throws -> Int
    {
        try await TestClient.exchange(
            method, path, port: baton.port, headers: token.map { ["X-Auth-Token": $0] } ?? [:],
            body: method == "POST" ? "{}" : nil
        ).status
    }

    @Test("Callers have the roles that Keystone gives them", arguments: Asking.allCases) func callersHaveTheirRolesOfKeystone(
        asking: Asking
    ) async throws {
        let keystone = try await KeystoneProcess()
        let baton = try await server(keystone, asking: asking)
        let (alice, bob) = (try await keystone.logIn("alice"), try await keystone.logIn("bob"))
        let (trudy, admin) = (try await keystone.logIn("trudy"), try await keystone.logIn("admin"))
        for token in [alice, bob, trudy, admin] { #expect(try await status(baton, token: token) == 200) }
        #expect(try await status(baton, "POST", token: alice) == 201)
        for token in [bob, trudy] { #expect(try await status(baton, "POST", token: token) == 403) }
        let locations = "/baton/v1/images/\(UUID().uuidString)/locations"
        #expect(try await status(baton, "GET", locations, token: alice) == 403)
        #expect(try await status(baton, "GET", locations, token: admin) == 404)

        let stranger = try await baton.send("GET", "/v2/images", headers: ["X-Auth-Token": "gAAAAABm-nobody"])
        #expect(stranger.status == 401)
        #expect(stranger.headers["www-authenticate"] == "Keystone uri=\"\(keystone.url)\"")
        #expect(try await status(baton, token: nil) == 401)
        for secret in [alice, bob, trudy, admin, keystone.users["baton"]?.password ?? "?"] {
            #expect(!baton.rawLog.contains(secret))
        }
    }

    @Test("A revoked token is refused once its cache entry expires", arguments: [Asking.callersOwn, .password])
    func aRevokedTokenIsRefusedOnceItsCacheEntryExpires(asking: Asking) async throws {
        let keystone = try await KeystoneProcess()
        let baton = try await server(keystone, asking: asking)
        let (alice, bob) = (try await keystone.logIn("alice"), try await keystone.logIn("bob"))
        #expect(try await status(baton, token: alice) == 200)
        #expect(try await status(baton, token: bob) == 200)
        try await keystone.revoke(alice)
        while try await status(baton, token: alice) == 200 {}
        #expect(try await status(baton, token: alice) == 401)
        #expect(try await status(baton, token: bob) == 200)
    }

    @Test("Without Keystone, known tokens stay valid, unknown ones get 503, and downloads finish")
    func withoutKeystoneKnownTokensStayValid() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let keystone = try await KeystoneProcess()
        let (alice, admin) = (try await keystone.logIn("alice"), try await keystone.logIn("admin"))
        let late = try await keystone.logIn("alice")
        let baton = try await server(
            keystone, backends: ["origin": #"driver: http, url: "\#(origin.url(""))""#], token: admin)
        let made = try await baton.send(
            "POST", "/v2/images",
            body:
                #"{"disk_format": "raw", "container_format": "bare", "owner": "\#(keystone.users["alice"]?.projectID ?? "")"}"#
        )
        let image = try #require(made.json["id"] as? String)
        try await baton.addLocations([origin.url()], to: image, of: Self.content)
        let port = baton.port
        let (client, head) = try await onOwnThread {
            let client = try Unshared(TestClient(port: port, receiveBuffer: 65_536))
            try client.value.send("GET", "/v2/images/\(image)/file", headers: ["X-Auth-Token": alice])
            var response = client.value.receiveHead()
            client.value.receiveBody(&response, upTo: 1_000_000, expected: (Self.content, 0))
            return (client, response)
        }
        #expect(head.status == 200 && !head.isComplete)

        keystone.crash()
        // Alice's token stays valid after its cache entry expires, since Keystone gives no new answer.
        while !baton.log.contains(where: { $0.event == "keystone.unavailable" }) {
            #expect(try await status(baton, token: alice) == 200)
        }
        #expect(try await status(baton, token: alice) == 200)
        #expect(try await status(baton, "POST", token: alice) == 201, "with her roles")
        // A valid token that Baton has not seen before, and an invalid one.
        for token in [late, "gAAAAABm-nobody"] {
            let response = try await baton.send("GET", "/v2/images", headers: ["X-Auth-Token": token])
            #expect(response.status == 503)
            #expect(response.headers["retry-after"] == "2")
            #expect(response.errorMessage.contains("identity service"))
        }
        #expect(try await status(baton, "GET", "/healthz", token: nil) == 200)

        let download = try await onOwnThread {
            var response = head
            client.value.receiveBody(&response, expected: (Self.content, 0))
            return response
        }
        #expect(download.isComplete && download.count == Self.content.size)
        #expect(download.firstWrongByte == nil)
        #expect(origin.record.requests.allSatisfy { $0["x-auth-token"] == nil })
        for secret in [alice, admin, late, keystone.users["baton"]?.password ?? "?"] {
            #expect(!baton.rawLog.contains(secret))
        }
    }

    @Test("Keystone is trusted only if its certificate is")
    func keystoneIsTrustedOnlyIfItsCertificateIs() async throws {
        let directory = try TestDirectory()
        try FileManager.default.createDirectory(atPath: directory.file("v3/auth"), withIntermediateDirectories: true)
        try directory.write(
            #"{"token": {"user": {"id": "u"}, "project": {"id": "p"}, "roles": [{"name": "reader"}], "#
                + #""expires_at": "2099-01-01T00:00:00Z"}}"#, to: "v3/auth/tokens?nocatalog")
        let keystone = try await TLSFileServer(directory)
        for (authorities, status) in [(", ca_file: \"\(keystone.certificate)\"", 200), ("", 503)] {
            let url = "https://127.0.0.1:\(keystone.port)"
            let baton = try await BatonProcess(
                backends: [:], settings: "auth: { mode: keystone, keystone: { url: \"\(url)\"\(authorities) } }")
            #expect(try await self.status(baton, token: "any") == status)
        }
    }

    /// A client that moves between threads.
    ///
    /// `@unchecked Sendable`: only one thread at a time uses it.
    private struct Unshared: @unchecked Sendable {
        let value: TestClient
        init(_ value: TestClient) { self.value = value }
    }
}
