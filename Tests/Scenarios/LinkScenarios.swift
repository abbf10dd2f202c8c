import FaultyOrigin
import Foundation
import Testing

/// Absolute links in responses to clients behind a proxy.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct LinkScenarios {
    private static let content = PatternedContent(size: 5_000_011, seed: 909)

    /// A Baton server behind an nginx that terminates TLS.
    private struct Setting {
        let baton: BatonProcess
        let proxy: NginxProcess
        let directory: TestDirectory
        let certificate: TestCertificate
        let image: String

        var url: String { "https://127.0.0.1:\(proxy.port)" }
    }

    /// - Parameter fields: the header fields that the proxy adds, as directives of nginx.
    private func setting(_ origin: FaultyOrigin, settings: String, fields: String) async throws -> Setting {
        let directory = try TestDirectory()
        let certificate = try await TestCertificate("proxy", in: directory)
        let baton = try await BatonProcess(origins: ["origin": origin], settings: settings)
        let image = try await baton.addImage(of: Self.content, at: [origin.url()])
        let proxy = try await NginxProcess(
            directory,
            directives: """
                ssl_certificate \(certificate.file); ssl_certificate_key \(certificate.keyFile);
                location / { proxy_pass http://127.0.0.1:\(baton.port); proxy_buffering off; \(fields) }
                """)
        return Setting(baton: baton, proxy: proxy, directory: directory, certificate: certificate, image: image)
    }

    private func aria2c(_ setting: Setting) async throws -> BatonCommand.Result {
        try await BatonCommand.run(
            [
                "--no-conf", "--quiet", "--follow-metalink=mem", "--max-tries=1",
                "--ca-certificate=\(setting.certificate.file)",
                "--header=Accept: application/metalink4+xml", "--dir=\(setting.directory.file("downloads"))",
                "\(setting.url)/v2/images/\(setting.image)/file",
            ], program: "/usr/bin/aria2c")
    }

    @Test("aria2 downloads with a Metalink document through a proxy that terminates TLS")
    func metalinkThroughAProxy() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let setting = try await setting(
            origin, settings: "auth: { trusted_proxies: [127.0.0.1] }",
            fields: "proxy_set_header X-Forwarded-Proto https; proxy_set_header X-Forwarded-Host $http_host;")
        let run = try await aria2c(setting)
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        let folder = setting.directory.file("downloads")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(files == ["test"])
        let bytes = try Data(contentsOf: URL(filePath: "\(folder)/\(files.first ?? "")"))
        let difference = bytes.withUnsafeBytes { Self.content.firstDifference(from: $0, at: 0) }
        #expect(bytes.count == Int(Self.content.size) && difference == nil)
    }

    @Test("Links use server.public_url or a trusted proxy's header fields, and no other client's")
    func links() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let forwarded = ["X-Forwarded-Proto": "https", "X-Forwarded-Host": "images.example"]
        for (settings, expected) in [
            ("", "http://localhost/"), ("auth: { trusted_proxies: [127.0.0.1] }", "https://images.example/"),
            ("auth: { trusted_proxies: [192.0.2.0/24] }", "http://localhost/"),
            (#"server: { public_url: "https://public.example/glance/" }"#, "https://public.example/glance/"),
        ] {
            let baton = try await BatonProcess(origins: ["origin": origin], settings: settings)
            let image = try await baton.addImage(of: Self.content, at: [origin.url()])
            for path in ["/", "/versions"] {
                let answer = try await baton.send("GET", path, headers: forwarded)
                #expect(answer.text.contains("\"\(expected)v2/\""), "\(path) \(answer.text.prefix(300))")
            }
            let document = try await baton.send(
                "GET", "/v2/images/\(image)/file", headers: forwarded.merging(["Accept": "application/metalink4+xml"]) { $1 })
            #expect(document.text.contains(">\(expected)v2/images/\(image)/file?"), "\(document.text)")
        }
    }

    @Test(
        "An invalid server.public_url is a configuration error",
        arguments: ["images.example", "https://", "https://a b", "ftp://a"])
    func badPublicURLs(url: String) async throws {
        let directory = try TestDirectory()
        let file = try directory.write("server: { public_url: \"\(url)\" }\n", to: "wrong.yaml")
        let run = try await BatonCommand.run(["check", "--config", file])
        #expect(
            run.status != 0 && run.errors.contains("server.public_url") && run.errors.contains("is not the URL of a server"),
            "\(run.errors)")
    }
}
