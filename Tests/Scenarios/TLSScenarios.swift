import FaultyOrigin
import Foundation
import Testing

/// Clients that connect to the server over TLS.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct TLSScenarios {
    static let content = PatternedContent(size: 20_000_003, seed: 94)

    /// A server with its own certificate, and the means to talk to it.
    private struct Served {
        let baton: BatonProcess
        let directory: TestDirectory
        let certificate: TestCertificate

        var url: String { "https://127.0.0.1:\(baton.port)" }

        func command(_ arguments: String..., authorities: String?) async throws -> BatonCommand.Result {
            let trust = authorities.map { ["--ca-file", $0] } ?? []
            return try await BatonCommand.run(arguments + ["--endpoint", url] + trust, in: directory.path)
        }

        /// Whether the server's certificate is trusted by these authorities.
        func answers(_ authorities: String) async throws -> Bool {
            try await command("image", "list", authorities: authorities).status == 0
        }

        /// A request by curl.
        func curl(_ arguments: String...) async throws -> BatonCommand.Result {
            try await BatonCommand.run(["-sS", "--cacert", certificate.file] + arguments, program: "/usr/bin/curl")
        }
    }

    private func serve(
        _ backends: [String: String] = [:], settings: String = "", isRSA: Bool = false
    ) async throws -> Served {
        let directory = try TestDirectory()
        let certificate = try await TestCertificate("shown", in: directory, isRSA: isRSA)
        let server =
            #"server: { certificate_file: "\#(certificate.file)", key_file: "\#(certificate.keyFile)", header_timeout: 1s }"#
        let baton = try await BatonProcess(backends: backends, settings: server + settings, directory: directory)
        return Served(baton: baton, directory: directory, certificate: certificate)
    }

    /// Replaces the files of the certificate in use.
    private func replace(_ served: Served) async throws -> TestCertificate {
        let next = try await TestCertificate("next", in: served.directory)
        for (new, old) in [(next.keyFile, served.certificate.keyFile), (next.file, served.certificate.file)] {
            try Data(contentsOf: URL(filePath: new)).write(to: URL(filePath: old))
        }
        return next
    }

    @Test("A download over TLS fails over in mid-stream and is verified")
    func aDownloadOverTLSFailsOverInMidStream() async throws {
        // A request for the rest is refused: a connection that ended while it was paused would be resumed there, not moved.
        let first = try FaultyOrigin(Self.content) { request in
            if request.isProbe { return .sound }
            return (request.range?.first ?? 0) > 0 ? .status(500) : .reset(after: 7_000_001)
        }
        defer { first.stop() }
        let second = try FaultyOrigin(Self.content)
        defer { second.stop() }
        let served = try await serve([
            "first": #"driver: http, url: "\#(first.url(""))""#, "second": #"driver: http, url: "\#(second.url(""))""#,
        ])
        let trusted = served.certificate.file
        try Self.content.write(to: served.directory.file("copy"))
        let added = try await served.command(
            "image", "add", "disk", "--disk-format", "raw", "--container-format", "bare", authorities: trusted)
        #expect(added.status == 0, "\(added.errors)")
        for url in [first.url(), second.url()] {
            let location = try await served.command(
                "location", "add", "disk", url, "--file", "copy", authorities: trusted)
            #expect(location.status == 0, "\(location.errors)")
        }
        let got = try await served.command("get", "disk", "-o", "got", "-q", authorities: trusted)
        #expect(got.status == 0 && got.output.contains("verified"), "\(got.errors)")
        #expect(served.baton.log.contains { $0.event == "download.finished" && $0["outcome"] == "finished" })
        #expect(second.record.downloads.count > 0)
    }

    @Test("The command line refuses a server with an untrusted certificate")
    func theCommandLineRefusesAnUntrustedCertificate() async throws {
        let served = try await serve()
        let result = try await served.command("image", "list", authorities: nil)
        #expect(result.status == 3)
        #expect(result.errors.localizedCaseInsensitiveContains("certificate"), "\(result.errors)")
        let odd = try await served.command("image", "list", authorities: "/nowhere.pem")
        #expect(odd.status != 0 && odd.errors.contains("/nowhere.pem"))
    }

    @Test("The server accepts only TLS 1.2 and 1.3", arguments: [("-tls1_1", false), ("-tls1_2", true), ("-tls1_3", true)])
    func theServerAcceptsOnlyTLS12AndTLS13(version: String, isSpoken: Bool) async throws {
        let served = try await serve()
        let result = try await BatonCommand.run(
            [
                "s_client", "-connect", "127.0.0.1:\(served.baton.port)", version, "-cipher", "DEFAULT@SECLEVEL=0", "-CAfile",
                served.certificate.file, "-verify_return_error",
            ], program: "/usr/bin/openssl")
        #expect((result.status == 0) == isSpoken, "\(result.errors)")
    }

    @Test(
        "TLS 1.2 has neither static RSA nor CBC",
        arguments: [
            ("ECDHE-RSA-AES128-GCM-SHA256", true), ("ECDHE-RSA-AES256-GCM-SHA384", true), ("ECDHE-RSA-CHACHA20-POLY1305", true),
            ("AES128-GCM-SHA256", false), ("AES256-GCM-SHA384", false), ("AES128-SHA", false), ("AES256-SHA", false),
            ("AES128-SHA256", false), ("ECDHE-RSA-AES128-SHA", false), ("ECDHE-RSA-AES256-SHA", false),
            ("ECDHE-RSA-AES128-SHA256", false), ("ECDHE-RSA-AES256-SHA384", false),
        ])
    func onlyAuthenticatedEncryptionIsSpoken(suite: String, isSpoken: Bool) async throws {
        let served = try await serve(isRSA: true)
        let result = try await BatonCommand.run(
            [
                "s_client", "-connect", "127.0.0.1:\(served.baton.port)", "-tls1_2", "-cipher", "\(suite)@SECLEVEL=0",
                "-CAfile",
                served.certificate.file, "-verify_return_error",
            ], program: "/usr/bin/openssl")
        #expect((result.status == 0) == isSpoken, "\(suite): \(result.errors)")
    }

    @Test("Links in responses use https")
    func linksInResponsesUseHTTPS() async throws {
        let served = try await serve()
        let answer = try await served.curl(served.url + "/versions")
        #expect(answer.output.contains("\(served.url)/v2/"), "\(answer.output) \(answer.errors)")
    }

    @Test("On SIGHUP the certificate is read again")
    func onSIGHUPTheCertificateIsReadAgain() async throws {
        let served = try await serve()
        kill(served.baton.processID, SIGHUP)
        await served.baton.waitForLog { $0.contains { $0.message.contains("read again") && $0["cause"] == "SIGHUP" } }
        #expect(try await served.answers(served.certificate.file))
    }

    @Test("New connections use the certificate files that a reload names")
    func otherFilesAreShown() async throws {
        let served = try await serve()
        let next = try await TestCertificate("next", in: served.directory)
        try served.baton.reload {
            $0.replacingOccurrences(of: served.certificate.file, with: next.file).replacingOccurrences(
                of: served.certificate.keyFile, with: next.keyFile)
        }
        await served.baton.waitForLog { $0.contains { $0.event == "configuration.reloaded" } }
        #expect(try await served.answers(next.file))
        #expect(try await !served.answers(served.certificate.file))
    }

    @Test("New connections use certificate files that changed")
    func newConnectionsUseChangedFiles() async throws {
        let served = try await serve()
        let before = try served.directory.write(
            String(contentsOfFile: served.certificate.file, encoding: .utf8), to: "before.pem")
        #expect(try await served.answers(before))
        let next = try await replace(served)
        await served.baton.waitForLog { $0.contains { $0["cause"] == "changed files" } }
        #expect(try await served.answers(next.file))
        #expect(try await !served.answers(before))
    }

    @Test("An invalid certificate changes nothing")
    func anInvalidCertificateChangesNothing() async throws {
        let served = try await serve()
        let trusted = try served.directory.write(
            String(contentsOfFile: served.certificate.file, encoding: .utf8), to: "trusted.pem")
        try served.directory.write("nonsense", to: "shown.key")
        await served.baton.waitForLog { $0.contains { $0["problem"]?.contains("shown.key holds no private key") == true } }
        #expect(try await served.answers(trusted))
    }

    @Test("A handshake that stops halfway is cut")
    func aHandshakeThatStopsHalfwayIsCut() async throws {
        let served = try await serve()
        let port = served.baton.port
        let end = try await onOwnThread {
            let client = try TestClient(port: port)
            try client.sendRaw("\u{16}\u{3}\u{1}")
            return client.receiveHead()  // returns when the server closes the connection
        }
        #expect(end.status == 0)
        #expect(try await served.answers(served.certificate.file))
    }

    /// One client closes the connection in order, the other one is killed. Both have received bytes before: a client that is gone
    /// before the origin is asked leaves the origin's idle connection open.
    @Test(
        "A client that disconnects ends the transfer",
        arguments: [
            #"curl "$@" | head -c 100000 > /dev/null"#,
            #"mkfifo body; curl "$@" > body & head -c 100000 body > /dev/null; kill -KILL $!"#,
        ])
    func aClientThatDisconnectsEndsTheTransfer(script: String) async throws {
        let origin = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .sound.paced(1_000_000) }
        defer { origin.stop() }
        let served = try await serve(["origin": #"driver: http, url: "\#(origin.url(""))""#])
        let trusted = served.certificate.file
        try Self.content.write(to: served.directory.file("copy"))
        for arguments in [
            ["image", "add", "disk", "--disk-format", "raw", "--container-format", "bare"],
            ["location", "add", "disk", origin.url(), "--file", "copy"],
        ] {
            let done = try await BatonCommand.run(
                arguments + ["--endpoint", served.url, "--ca-file", trusted], in: served.directory.path)
            #expect(done.status == 0, "\(done.errors)")
        }
        let images = try await served.command("image", "list", "--json", authorities: trusted)
        let id = try #require(images.output.firstMatch(of: /[0-9a-f]{8}-[0-9a-f-]{27}/)?.output)
        _ = try await BatonCommand.run(
            ["-c", script, "client", "-sS", "--cacert", trusted, "\(served.url)/v2/images/\(id)/file"], program: "/bin/sh",
            in: served.directory.path)
        await served.baton.waitForLog { $0.contains { $0.event == "download.finished" && $0["outcome"] == "client-gone" } }
        await origin.waitUntil { $0.openConnections == 0 }
    }

    @Test("A plain HTTP request to a TLS server gets no response")
    func plainHTTPGetsNoResponse() async throws {
        let served = try await serve()
        #expect(try await TestClient.exchange("GET", "/healthz", port: served.baton.port).status == 0)
        #expect(try await served.answers(served.certificate.file))
    }

    @Test("A request head that is too large is answered over TLS as well")
    func aHeadThatIsTooLargeIsAnswered() async throws {
        let served = try await serve()
        let long = try served.directory.write("X-Long: \(String(repeating: "x", count: 90_000))\n", to: "long")
        let answer = try await served.curl("-H", "@\(long)", "-o", "/dev/null", "-w", "%{http_code}", served.url + "/healthz")
        #expect(answer.output == "431", "\(answer.errors)")
    }

    @Test(
        "An error in the certificate files is reported before the server starts",
        arguments: [
            ("certificate_file: \"DIR/a.pem\"", "server.certificate_file: needs key_file"),
            ("key_file: \"DIR/a.key\"", "server.key_file: needs certificate_file"),
            ("certificate_file: /nowhere.pem, key_file: \"DIR/a.key\"", "server.certificate_file: /nowhere.pem can't be read"),
            ("certificate_file: \"DIR/a.key\", key_file: \"DIR/a.key\"", "DIR/a.key holds no certificate"),
            ("certificate_file: \"DIR/a.pem\", key_file: \"DIR/a.pem\"", "DIR/a.pem holds no private key"),
            (
                "certificate_file: \"DIR/a.pem\", key_file: \"DIR/b.key\"",
                "The private key in DIR/b.key does not match the certificate in DIR/a.pem"
            ),
            (
                "certificate_file: \"DIR/a.pem\", key_file: \"DIR/c.key\"",
                "DIR/c.key holds no private key in PEM form, or an encrypted one"
            ),
            ("certificate_file: \"DIR/odd.pem\", key_file: \"DIR/a.key\"", "DIR/odd.pem holds no certificate in PEM form"),
        ])
    func anErrorInTheCertificateFilesIsReported(keys: String, expected: String) async throws {
        let directory = try TestDirectory()
        for name in ["a", "b"] { _ = try await TestCertificate(name, in: directory) }
        _ = try await TestCertificate("c", in: directory, passphrase: "hush")
        try directory.write("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", to: "odd.pem")
        let file = try directory.write(
            "server: { listen: \"127.0.0.1:0\", \(keys.replacingOccurrences(of: "DIR", with: directory.path)) }\n",
            to: "baton.yaml")
        for command in ["check", "serve"] {
            let result = try await BatonCommand.run([command, "--config", file], in: directory.path)
            #expect(result.status == 1)
            #expect(result.errors.contains(expected.replacingOccurrences(of: "DIR", with: directory.path)), "\(result.errors)")
        }
    }
}
