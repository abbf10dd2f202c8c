import FaultyOrigin
import Foundation
import Testing

/// Object stores behind TLS, as in production: a real OpenStack Swift with nginx in front of it.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct TLSStoreScenarios {
    private static let content = PatternedContent(size: 3_000_029, seed: 112)

    private func read(by driver: String, trusting isTrusted: Bool) async throws -> TestClient.Response {
        let node = try await OpenStackSwiftNode.shared.value
        try await node.store(Self.content, as: "tls")
        let directory = try TestDirectory()
        let certificate = try await TestCertificate("server", in: directory)
        let nginx = try await NginxProcess(
            directory,
            directives: "ssl_certificate \(certificate.file); ssl_certificate_key \(certificate.keyFile); "
                + "location / { proxy_pass \(node.url); proxy_set_header Host $http_host; }")
        let url = "https://127.0.0.1:\(nginx.port)"
        let key = try directory.write("testing\n", to: "key")
        let keys =
            driver == "s3"
            ? #"url: "\#(url)", bucket: images, access_key: "test:tester", secret_key_file: "\#(key)""#
            : #"auth_url: "\#(url)/auth/v1.0", user: "test:tester", key_file: "\#(key)", container: images, "#
                // OpenStack Swift itself uses no TLS and gives an http URL; a token that came over TLS is not sent there.
                + #"storage_url: "\#(url)/v1/AUTH_test""#
        let trust = isTrusted ? #", ca_file: "\#(certificate.file)""# : ""
        let baton = try await BatonProcess(
            backends: ["store": "driver: \(driver), \(keys)\(trust)"], settings: BatonProcess.timeout, directory: directory)
        guard isTrusted else {
            let image = try await baton.addImage()
            return try await baton.send(
                "POST", "/baton/v1/images/\(image)/locations",
                body: #"{"url": "\#(driver)://store/tls", "size": 9, "digests": {"sha256": "\#(Self.content.sha256)"}}"#)
        }
        let image = try await baton.addImage(of: Self.content, at: ["\(driver)://store/tls"])
        return try await baton.download(image, of: Self.content)
    }

    @Test("A store behind TLS is read with its CA", arguments: ["s3", "swift"])
    func aStoreBehindTLSIsReadWithItsCA(driver: String) async throws {
        let response = try await read(by: driver, trusting: true)
        #expect(response.status == 200 && response.isComplete && response.firstWrongByte == nil)
    }

    @Test("A store with an untrusted certificate is not read", arguments: ["s3", "swift"])
    func aStoreWithAnUntrustedCertificateIsNotRead(driver: String) async throws {
        let answer = try await read(by: driver, trusting: false)
        #expect(answer.json["status"] as? String == "pending")
        #expect((answer.json["problem"] as? String)?.hasPrefix("tls:") == true, "\(answer.text)")
    }
}
