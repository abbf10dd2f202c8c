import FaultyOrigin
import Foundation
import Glibc
import Testing

/// The command line as people and scripts use it, mistakes included.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct CommandScenarios {
    static let content = PatternedContent(size: 8_000_009, seed: 41)

    @Test("The command line manages images and locations")
    func theCommandLineManagesImagesAndLocations() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin])
        let copy = baton.directory.file("copy")
        try Self.content.write(to: copy)
        let environment = ["BATON_ENDPOINT": "http://127.0.0.1:\(baton.port)"]
        func command(_ arguments: String...) async throws -> BatonCommand.Result {
            try await BatonCommand.run(arguments, environment: environment, in: baton.directory.path)
        }
        let added = try await command("image", "add", "disk", "--disk-format", "raw", "--container-format", "bare")
        #expect(added.status == 0)
        let id = added.output.trimmingCharacters(in: .whitespacesAndNewlines)
        let location = try await command("location", "add", "disk", origin.url(), "--file", copy, "--weight", "3")
        #expect(location.status == 0 && location.output.contains("active"))
        let shown = try await command("image", "show", id)
        #expect(shown.output.contains("disk") && shown.output.contains(origin.url()))
        let listed = try await command("image", "list", "--json")
        #expect(listed.output.contains(id))
        let locations = try await command("location", "list", "disk", "--json")
        #expect(locations.output.contains(#""weight":3"#))
        let got = try await command("get", "disk", "-o", "out")
        #expect(got.status == 0, "\(got.errors)")
        #expect(got.output.contains(Self.content.sha256))
        #expect(try Data(contentsOf: URL(filePath: baton.directory.file("out"))) == Data(contentsOf: URL(filePath: copy)))
        #expect(try await command("image", "delete", "disk", "--yes").status == 0)
        let gone = try await command("get", "disk")
        #expect(gone.status == 1 && gone.errors.contains("No image has the name disk"))
    }

    /// Starts a server with one image and runs `baton get` on it.
    private func get(
        origins: [String: FaultyOrigin], of content: PatternedContent = content,
        arguments: [String] = [], isVerified: Bool = false,
        prepare: (BatonProcess, _ digest: String) throws -> Void = { _, _ in }
    ) async throws -> (result: BatonCommand.Result, baton: BatonProcess) {
        let baton = try await BatonProcess(
            origins: origins, settings: "relay: { stall_timeout: 300ms, connect_timeout: 1s, give_up_after: 1s }")
        let image = try await baton.addImage(
            of: content, at: origins.sorted { $0.key < $1.key }.map { $0.value.url() })
        if isVerified { try await baton.verifyLocationsAndForgetManifest(of: image) }
        try prepare(baton, content.sha256)
        let result = try await BatonCommand.run(
            ["get", image, "-o", "out", "--endpoint", "http://127.0.0.1:\(baton.port)"] + arguments,
            in: baton.directory.path)
        return (result, baton)
    }

    @Test("A partial file is resumed where it ends")
    func aPartialFileIsResumedWhereItEnds() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let (result, baton) = try await get(origins: ["origin": origin], isVerified: true) { baton, digest in
            let head = Data(Self.content.bytes(in: 0..<3_000_000))
            try head.write(to: URL(filePath: baton.directory.file("out.\(digest.prefix(16)).part")))
        }
        #expect(result.status == 0, "\(result.errors)")
        #expect(origin.record.downloads.dropFirst().first?.range?.first == 3_000_000, "the first download verified it")
        #expect(try Data(contentsOf: URL(filePath: baton.directory.file("out"))).count == Int(Self.content.size))
        #expect(try FileManager.default.contentsOfDirectory(atPath: baton.directory.path).allSatisfy { !$0.hasSuffix(".part") })
    }

    @Test("A partial file with wrong bytes never becomes the image")
    func aPartialFileWithWrongBytesNeverBecomesTheImage() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let (result, baton) = try await get(origins: ["origin": origin], isVerified: true) { baton, digest in
            try Data(repeating: 7, count: 3_000_000).write(
                to: URL(filePath: baton.directory.file("out.\(digest.prefix(16)).part")))
            try Data("what was there before".utf8).write(to: URL(filePath: baton.directory.file("out")))
        }
        #expect(result.status == 2)
        #expect(result.errors.contains("not the image"))
        #expect(try String(contentsOfFile: baton.directory.file("out"), encoding: .utf8) == "what was there before")
    }

    @Test("After a corrupt download get retries and writes the exact image")
    func getRetriesAfterACorruptDownload() async throws {
        let corrupt = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .corrupt(at: 1_000_000) }
        let sound = try FaultyOrigin(Self.content)
        defer { for origin in [corrupt, sound] { origin.stop() } }
        // The first response is cut; get drops its file, tries again and reads from the sound location.
        let (result, baton) = try await get(origins: ["a-corrupt": corrupt, "b-sound": sound])
        #expect(result.status == 0, "\(result.errors)")
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: baton.directory.file("out"))))
        #expect(bytes == Self.content.bytes(in: 0..<Self.content.size))
    }

    @Test("get stops after --tries when no location has the declared bytes")
    func getStopsAfterTriesOnADigestConflict() async throws {
        // Both have the same bytes, which are not those declared: a digest conflict, so neither is quarantined.
        let other = PatternedContent(size: Self.content.size, seed: 42)
        let origins = ["a": try FaultyOrigin(other), "b": try FaultyOrigin(other)]
        defer { for origin in origins.values { origin.stop() } }
        let (result, baton) = try await get(origins: origins, arguments: ["--tries", "2"])
        #expect(result.status != 0)
        #expect(!FileManager.default.fileExists(atPath: baton.directory.file("out")))
        #expect(baton.log.count { $0.event == "download.finished" } == 2, "two tries were allowed")
    }

    @Test("When no location can serve, get creates no file")
    func getCreatesNoFileWhenNoLocationCanServe() async throws {
        let origin = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .status(500) }
        defer { origin.stop() }
        let (result, baton) = try await get(origins: ["origin": origin], arguments: ["--tries", "1"])
        #expect(result.status == 1)
        #expect(result.errors.contains("No location of the image can serve now"))
        #expect(!FileManager.default.fileExists(atPath: baton.directory.file("out")))
    }

    @Test("--limit-rate limits the rate of a download")
    func limitRateLimitsTheRate() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let started = ContinuousClock.now
        let (result, _) = try await get(origins: ["origin": origin], arguments: ["--limit-rate", "4MiB"])
        #expect(result.status == 0)
        // 7.6 MiB at 4 MiB/s must not finish at once.
        #expect(ContinuousClock.now - started > .seconds(1))
    }

    @Test("get reports a full disk and keeps what it has")
    func getReportsAFullDiskAndKeepsWhatItHas() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin])
        let image = try await baton.addImage(of: Self.content, at: [origin.url()])
        try await baton.verifyLocationsAndForgetManifest(of: image)
        // A limit on the file size stands in for a full disk: the same write fails.
        let part = baton.directory.file("out.\(Self.content.sha256.prefix(16)).part")
        let limited = try await BatonCommand.run(
            [
                "-c", "ulimit -f 2048; trap '' XFSZ; exec \"$0\" get \"$1\" -o out --tries 1 --endpoint \"$2\"",
                BatonCommand.path,
                image, "http://127.0.0.1:\(baton.port)",
            ], program: "/bin/bash", in: baton.directory.path)
        #expect(limited.status == 1)
        #expect(limited.errors.contains("can't be written"), "\(limited.errors)")
        #expect(!FileManager.default.fileExists(atPath: baton.directory.file("out")))
        let kept = try FileManager.default.attributesOfItem(atPath: part)[.size] as? Int64 ?? 0
        #expect(kept > 0, "the partial file is kept")
        let again = try await BatonCommand.run(
            ["get", image, "-o", "out", "--endpoint", "http://127.0.0.1:\(baton.port)"], in: baton.directory.path)
        #expect(again.status == 0)
        #expect(origin.record.downloads.contains { $0.range?.first == kept }, "it resumed where it had stopped")
    }

    @Test("serve reports a port that is taken")
    func serveReportsAPortThatIsTaken() async throws {
        let other = try FaultyOrigin(Self.content)
        defer { other.stop() }
        let directory = try TestDirectory()
        let file = try directory.write("catalog: \"sqlite:\(directory.file("c.sqlite"))\"\n", to: "baton.yaml")
        let result = try await BatonCommand.run(["serve", "--config", file, "--listen", "127.0.0.1:\(other.port)"])
        #expect(result.status == 1)
        #expect(result.errors.contains("127.0.0.1:\(other.port) is taken by another program"))
    }

    @Test("Without a server, each command reports the endpoint in one line")
    func withoutAServerEachCommandReportsTheEndpoint() async throws {
        let port = try FaultyOrigin.refusedPort()
        for arguments in [["image", "list"], ["get", "x", "--tries", "1"], ["location", "list", "x"]] {
            let result = try await BatonCommand.run(arguments + ["--endpoint", "http://127.0.0.1:\(port)"])
            #expect(result.status == 3)
            #expect(result.errors.contains("No server answers at http://127.0.0.1:\(port)"), "\(result.errors)")
            #expect(result.errors.split(separator: "\n").count == 1)
        }
    }

    @Test("An endpoint that is not a Baton server is reported")
    func anEndpointThatIsNotABatonServerIsReported() async throws {
        let other = try FaultyOrigin(Self.content) { _ in .status(200) }
        defer { other.stop() }
        let result = try await BatonCommand.run(["image", "list", "--endpoint", other.url("")])
        #expect(result.status == 1)
        #expect(result.errors.contains("Baton server"), "\(result.errors)")
    }

    @Test(
        "An invalid command shows its usage",
        arguments: [
            ["nonsense"], ["get"], ["get", "x", "--tries", "0"], ["get", "x", "--limit-rate", "fast"], ["image"],
            ["image", "add"], ["location", "add", "x"], ["location", "add", "x", "y", "--size", "big"],
            ["get", "x", "--endpoint", "ftp://x"], ["get", "x", "--disk-format", "floppy"], ["serve", "--nonsense"],
            ["image", "add", "x", "--property", "nothing"],
        ])
    func anInvalidCommandShowsItsUsage(arguments: [String]) async throws {
        let result = try await BatonCommand.run(arguments)
        let text = result.errors + result.output
        #expect(result.status == 64 || (result.status == 0 && arguments == ["image"]))
        #expect(text.uppercased().contains("USAGE"), "\(text)")
    }

    @Test("An invalid configuration is refused with file, line and key")
    func anInvalidConfigurationIsRefusedWithFileLineAndKey() async throws {
        let directory = try TestDirectory()
        try directory.write(
            """
            relay:
              stall_timout: 3s
              tail: 3 parsecs
            backends:
              north: { driver: http, url: "ftp://x/" }
              disk: { driver: file, root: "relative", colour: red }
            server: { listen: "0.0.0.0:9292" }
            """, to: "wrong.yaml")
        for command in ["check", "serve"] {
            let result = try await BatonCommand.run([command, "--config", "wrong.yaml"], in: directory.path)
            #expect(result.status == 1)
            for expected in [
                "wrong.yaml:2: relay.stall_timout: no such key; did you mean stall_timeout?",
                "wrong.yaml:3: relay.tail: \"3 parsecs\" is not a number of bytes",
                "wrong.yaml:5: backends.north.url:", "wrong.yaml:6: backends.disk.root: \"relative\" is not an absolute path",
                "wrong.yaml:6: backends.disk.colour: no such key", "wrong.yaml:7: server.listen:",
            ] {
                #expect(result.errors.contains(expected), "\(expected) in:\n\(result.errors)")
            }
        }
        let missing = try await BatonCommand.run(["check", "--config", "nowhere.yaml"], in: directory.path)
        #expect(missing.status == 1 && missing.errors.contains("nowhere.yaml: can't be read: there is no such file"))
    }

    @Test("The server reports a full disk under the catalog and loses no image")
    func aFullDiskUnderTheCatalogLosesNothing() async throws {
        let directory = try TestDirectory()
        let baton = try await BatonProcess(backends: [:], directory: directory, fileSizeLimit: 512)
        var added: [String] = []
        var refused: TestClient.Response?
        let padding = String(repeating: "x", count: 60_000)
        for _ in 0..<40 where refused == nil {
            let response = try await baton.send("POST", "/v2/images", body: #"{"name": "n", "padding": "\#(padding)"}"#)
            if response.status == 201, let id = response.json["id"] as? String {
                added.append(id)
            } else {
                refused = response
            }
        }
        #expect(refused?.status == 503 || refused?.status == 507 || refused?.status == 500, "\(refused?.status ?? 0)")
        #expect(refused?.errorMessage.contains("catalog") == true, "\(refused?.text ?? "")")
        #expect(!added.isEmpty)
        baton.terminate()
        #expect(try await baton.exited() == 0)
        let roomy = try await BatonProcess(backends: [:], directory: directory)
        for id in added { #expect(try await roomy.send("GET", "/v2/images/\(id)").status == 200) }
        _ = try await roomy.addImage()
    }
}
