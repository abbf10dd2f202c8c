import FaultyOrigin
import Foundation
import Testing

/// TLS servers whose certificate is signed by the configured CA: for their own name, or for another one.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct TLSNameScenarios {
    private static let content = PatternedContent(size: 300_007, seed: 113)

    /// Each use of TLS as a client.
    enum Peer: String, CaseIterable {
        case http, s3, swift, swiftKeystone, swiftTempAuth, proxied, keystone, command
    }

    /// A server with a certificate of one CA that plays all servers.
    private struct Server {
        let directory: TestDirectory
        let nginx: NginxProcess
        /// The CA's certificate file.
        let trusted: String

        var url: String { "https://127.0.0.1:\(nginx.port)" }

        /// - Parameter names: the names in the certificate.
        init(certifiedFor names: String) async throws {
            directory = try TestDirectory()
            let authority = try await TestCertificate("authority", in: directory)
            let certificate = try await TestCertificate("server", in: directory, names: names, signedBy: authority)
            trusted = authority.file
            for path in ["web", "images", "v1/AUTH_test/images"] {
                try FileManager.default.createDirectory(
                    atPath: directory.file(path), withIntermediateDirectories: true)
                try TLSNameScenarios.content.write(to: directory.file("\(path)/image"))
            }
            let port = try FaultyOrigin.refusedPort()
            let token = """
                {"token": {"issued_at": "2026-01-01T00:00:00Z", "expires_at": "2099-01-01T00:00:00Z", "user": {"id": "u"},
                "project": {"id": "p"}, "roles": [{"name": "admin"}], "catalog": [{"type": "object-store", "endpoints":
                [{"interface": "public", "region": "r", "url": "https://127.0.0.1:\(port)/v1/AUTH_test"}]}]}}
                """.replacing("\n", with: " ")
            nginx = try await NginxProcess(
                directory,
                directives: """
                    ssl_certificate \(certificate.file); ssl_certificate_key \(certificate.keyFile);
                    location /v3/auth/tokens {
                        add_header X-Subject-Token token always; default_type application/json;
                        if ($request_method = GET) { return 200 '\(token)'; }
                        return 201 '\(token)';
                    }
                    location /auth/v1.0 {
                        add_header X-Storage-Url https://127.0.0.1:\(port)/v1/AUTH_test; add_header X-Auth-Token token;
                        return 200;
                    }
                    location /v2/images { default_type application/json; return 200 '{"images": []}'; }
                    """, port: port)
        }
    }

    /// Why a location at the server does not serve; nil if it does.
    private func problem(_ keys: String, _ location: String, at server: Server) async throws -> String? {
        let baton = try await BatonProcess(
            backends: ["store": #"\#(keys), ca_file: "\#(server.trusted)""#], settings: BatonProcess.timeout,
            directory: server.directory)
        let image = try await baton.addImage()
        let body = #"{"url": "\#(location)", "size": \#(Self.content.size), "digests": {"sha256": "\#(Self.content.sha256)"}}"#
        let answer = try await baton.send("POST", "/baton/v1/images/\(image)/locations", body: body)
        guard answer.json["status"] as? String == "active" else { return answer.json["problem"] as? String ?? answer.text }
        let response = try await baton.download(image, of: Self.content)
        return response.isComplete && response.firstWrongByte == nil ? nil : "status \(response.status)"
    }

    /// The error when Baton talks to a server in a role; nil without an error.
    private func problem(of peer: Peer, at server: Server) async throws -> String? {
        let key = try server.directory.write("hush\n", to: "secret")
        switch peer {
        case .http: return try await problem(#"driver: http, url: "\#(server.url)/web""#, "\(server.url)/web/image", at: server)
        case .proxied:
            let port = server.nginx.port
            let proxy = try FaultyOrigin(Self.content) { _ in .tunnel(to: port) }
            defer { proxy.stop() }
            return try await problem(
                #"driver: http, url: "\#(server.url)/web", proxy: "\#(proxy.url(""))""#, "\(server.url)/web/image", at: server)
        case .s3:
            return try await problem(
                #"driver: s3, url: "\#(server.url)", bucket: images, access_key: a, secret_key_file: "\#(key)""#,
                "s3://store/image", at: server)
        case .swift:
            return try await problem(
                #"driver: swift, container: images, storage_url: "\#(server.url)/v1/AUTH_test""#, "swift://store/image",
                at: server)
        case .swiftTempAuth:
            return try await problem(
                #"driver: swift, container: images, auth_url: "\#(server.url)/auth/v1.0", user: "a:b", key_file: "\#(key)""#,
                "swift://store/image", at: server)
        case .swiftKeystone:
            let login = #"{ url: "\#(server.url)/v3", user: u, project: p, password_file: "\#(key)" }"#
            return try await problem("driver: swift, container: images, keystone: \(login)", "swift://store/image", at: server)
        case .keystone:
            let baton = try await BatonProcess(
                backends: [:],
                settings: #"auth: { mode: keystone, keystone: { url: "\#(server.url)/v3", ca_file: "\#(server.trusted)" } }"#,
                directory: server.directory, token: "token")
            let answer = try await baton.send("GET", "/v2/images")
            return answer.status == 200 ? nil : "tls: \(answer.status) \(baton.rawLog)"
        case .command:
            let result = try await BatonCommand.run(
                ["image", "list", "--endpoint", server.url, "--ca-file", server.trusted], in: server.directory.path)
            return result.status == 0 ? nil : "tls: \(result.errors)"
        }
    }

    @Test("A trusted certificate for the server's own name is accepted", arguments: Peer.allCases)
    func ownName(peer: Peer) async throws {
        let server = try await Server(certifiedFor: "IP:127.0.0.1")
        #expect(try await problem(of: peer, at: server) == nil)
    }

    @Test("A trusted certificate for another name is refused", arguments: Peer.allCases)
    func otherName(peer: Peer) async throws {
        let server = try await Server(certifiedFor: "IP:127.0.0.2,DNS:other.example")
        let problem = try #require(try await problem(of: peer, at: server))
        #expect(problem.hasPrefix("tls:"), "\(problem)")
    }
}
