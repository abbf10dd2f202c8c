import FaultyOrigin
import Foundation
import Glibc
import Testing

/// The messages of the command line while it waits and when a command fails.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct CommandSentenceScenarios {
    static let content = PatternedContent(size: 3_000_019, seed: 331)

    private static func run(_ arguments: [String], at url: String, in directory: String? = nil) async throws
        -> BatonCommand.Result
    {
        try await BatonCommand.run(arguments + ["--endpoint", url], in: directory)
    }

    private static func object(_ result: BatonCommand.Result) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any], "\(result)")
    }

    /// A server that answers for one image as Baton does, apart from what `behaviour` adds.
    private static func imageServer(_ behaviour: @escaping @Sendable (OriginRequest) -> Behaviour) throws -> FaultyOrigin {
        let tag = "\"sha256-\(content.sha256)\""
        return try FaultyOrigin(content) { request in
            behaviour(request).stating(etag: tag, headers: [("Accept-Ranges", "bytes")])
        }
    }

    @Test("A retry reports its number and the reason")
    func retriesAreReported() async throws {
        let server = try Self.imageServer { $0.method == "GET" && $0.range == nil ? .reset(after: 1_000_000) : .sound }
        defer { server.stop() }
        let directory = try TestDirectory()
        let image = UUID().uuidString.lowercased()
        let result = try await Self.run(["get", image, "-o", "out"], at: server.url(""), in: directory.path)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.contains("broke") && result.errors.contains("retrying, 2 of 5"), "\(result.errors)")
        #expect(!result.errors.contains("\u{1B}") && !result.errors.contains("\r"), "no terminal, no control characters")
    }

    @Test("A format that the image does not have is reported with those that it has")
    func aMissingFormatIsReported() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin])
        let image = try await baton.addImage(of: Self.content, at: [origin.url()])
        let url = "http://127.0.0.1:\(baton.port)"
        let result = try await Self.run(
            ["get", image, "-o", "out", "--disk-format", "qcow2"], at: url, in: baton.directory.path)
        #expect(result.status == 1, "\(result)")
        #expect(result.errors.contains("raw") && !result.errors.contains("no explanation"), "\(result.errors)")
        let explained = try await Self.run(["get", image, "--disk-format", "floppy"], at: url)
        #expect(explained.status == 64 && explained.errors.contains("qcow2"), "\(explained.errors)")
    }

    @Test("An untrusted certificate leads to --ca-file, and a server without TLS to http")
    func certificatesAreExplained() async throws {
        let directory = try TestDirectory()
        let certificate = try await TestCertificate("shown", in: directory)
        let baton = try await BatonProcess(
            backends: [:],
            settings: #"server: { certificate_file: "\#(certificate.file)", key_file: "\#(certificate.keyFile)" }"#,
            directory: directory)
        let untrusted = try await Self.run(["image", "list"], at: "https://127.0.0.1:\(baton.port)")
        #expect(untrusted.status == 3 && untrusted.errors.contains("--ca-file"), "\(untrusted.errors)")
        let plain = try await BatonProcess(backends: [:])
        let noTLS = try await Self.run(["image", "list"], at: "https://127.0.0.1:\(plain.port)")
        #expect(noTLS.status == 3 && noTLS.errors.contains("write http://"), "\(noTLS.errors)")
    }

    @Test(
        "An invalid number of bytes is answered with examples",
        arguments: [
            ["get", "x", "--limit-rate", "fast"], ["get", "x", "--limit-rate", "10Mbit"],
            ["location", "add", "x", "y", "--size", "64 MiB"],
        ])
    func amountsAreExplained(arguments: [String]) async throws {
        let result = try await BatonCommand.run(arguments)
        #expect(result.status == 64 && result.errors.contains("for example 4096, 500K, 10M, 1.5G or 64MiB"), "\(result.errors)")
    }

    @Test("Amounts with common suffixes are accepted")
    func amountsAreAccepted() async throws {
        let origin = try FaultyOrigin(PatternedContent(size: 64 << 20, seed: 5))
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin])
        let image = try await baton.addImage()
        let url = "http://127.0.0.1:\(baton.port)"
        let zero = String(repeating: "0", count: 64)
        let added = try await Self.run(
            ["location", "add", image, origin.url(), "--size", "64MiB", "--sha256", zero, "--json"], at: url)
        #expect(added.status == 0 && added.output.contains("67108864"), "\(added)")
        for rate in ["10M", "10m", "1.5G/s", "500kB"] {
            let result = try await Self.run(["get", "nothing", "--limit-rate", rate], at: url)
            #expect(result.status == 1, "\(rate): \(result.errors)")
        }
    }

    @Test(
        "A mistyped command is answered with a suggestion",
        arguments: [
            (["imgae", "list"], "did you mean image?"), (["image", "lst"], "did you mean list?"),
            (["location", "verfy", "x"], "did you mean verify?"),
            (["gte", "x"], "did you mean get?"), (["chekc"], "did you mean check?"), (["zzzzzz"], "commands are serve,"),
        ])
    func typosAreExplained(arguments: [String], sentence: String) async throws {
        let result = try await BatonCommand.run(arguments)
        #expect(result.status == 64 && result.errors.contains(sentence), "\(result)")
        #expect(result.errors.contains("Usage:"))
    }

    @Test("Deleting an image asks for confirmation on a terminal and needs --yes without one")
    func deletionIsConfirmed() async throws {
        let baton = try await BatonProcess(backends: [:])
        let image = try await baton.addImage()
        let url = "http://127.0.0.1:\(baton.port)"
        let asked = try await Self.run(["image", "delete", image], at: url)
        #expect(asked.status == 64 && asked.errors.contains("--yes"), "\(asked)")
        #expect(try await baton.send("GET", "/v2/images/\(image)").status == 200)
        // script(1) gives it a terminal.
        for (answer, isThere) in [("n", true), ("", true), ("y", false)] {
            let result = try await BatonCommand.run(
                [
                    "-c", "printf '%s\\n' '\(answer)' | script -qec \"$0 image delete \(image) --endpoint \(url)\" /dev/null",
                    BatonCommand.path,
                ],
                program: "/bin/bash")
            #expect(result.output.contains("Delete the image test (\(image))"), "\(result)")
            #expect((result.status == 0) != isThere, "\(result)")
            #expect(try await baton.send("GET", "/v2/images/\(image)").status == (isThere ? 200 : 404))
        }
        let second = try await baton.addImage()
        #expect(try await Self.run(["image", "delete", second, "--yes"], at: url).status == 0)
    }

    @Test("With --json every result is one object, and every failure one with the key error")
    func jsonHasOneShape() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin])
        let image = try await baton.addImage(of: Self.content, at: [origin.url()])
        let url = "http://127.0.0.1:\(baton.port)"
        for command in [
            ["image", "list"], ["image", "show", image], ["location", "list", image], ["explain", image],
            ["get", image, "-o", "out"],
            ["image", "delete", image, "--yes"],
        ] {
            let result = try await Self.run(command + ["--json"], at: url, in: baton.directory.path)
            #expect(result.status == 0 && result.errors.isEmpty, "\(command): \(result)")
            #expect(try Self.object(result)["error"] == nil)
        }
        let port = try FaultyOrigin.refusedPort()
        for (command, kind, code, at) in [
            (["image", "show", UUID().uuidString], "refused", 1, url), (["get", "nothing"], "refused", 1, url),
            (["image", "list"], "unreachable", 3, "http://127.0.0.1:\(port)"), (["image", "delete", "x"], "usage", 64, url),
            (["get", "x", "--limit-rate", "fast"], "usage", 64, url), (["imgae", "list"], "usage", 64, url),
            (["location", "add", image, "x", "--file", "/nowhere/x"], "file", 1, url),
        ] {
            let result = try await Self.run(command + ["--json"], at: at)
            #expect(result.status == Int32(code), "\(command): \(result)")
            let error = try #require(try Self.object(result)["error"] as? [String: Any], "\(command)")
            #expect(error["kind"] as? String == kind && error["code"] as? Int == code, "\(command): \(error)")
            #expect((error["message"] as? String)?.isEmpty == false && !result.errors.isEmpty)
        }
    }

    @Test(
        "No error shows the names of Foundation's error domains",
        arguments: [
            ["check", "--config", "/"], ["check", "--config", "/nowhere/x"], ["serve", "--config", "/tmp"],
            ["check", "--config", "/proc/self/mem"],
            ["location", "add", "x", "y", "--file", "/"], ["get", "x", "--ca-file", "/nowhere"],
            ["get", "x", "-o", "/nowhere/x/"],
        ])
    func errorsAreSentences(arguments: [String]) async throws {
        let isLocal = ["check", "serve"].contains(arguments[0])
        let end = isLocal ? [] : ["--endpoint", "http://127.0.0.1:\(try FaultyOrigin.refusedPort())"]
        let result = try await BatonCommand.run(arguments + end)
        #expect(result.status != 0)
        for word in ["NSError", "NSCocoa", "Error Domain", "UserInfo", "CocoaError", "NSPOSIX"] {
            #expect(!result.errors.contains(word) && !result.output.contains(word), "\(result.errors)")
        }
    }

    @Test("A list of several pages is complete, as a table and as JSON")
    func listsAreComplete() async throws {
        let baton = try await BatonProcess(backends: ["web": #"driver: http, url: "http://127.0.0.1:1/""#])
        let url = "http://127.0.0.1:\(baton.port)"
        let image = try await baton.addImage()
        let words = Dictionary(uniqueKeysWithValues: (0..<15).map { ("\($0)", String(repeating: "x", count: 65_000)) })
        var added: [String] = []
        for number in 0..<18 {
            let body = try JSONSerialization.data(
                withJSONObject: ["url": "http://127.0.0.1:1/\(number)", "metadata": words] as [String: Any])
            let answer = try await baton.send(
                "POST", "/baton/v1/images/\(image)/locations", body: String(decoding: body, as: UTF8.self))
            // The client keeps the beginning of a body, which contains the id.
            let id = answer.text.firstMatch(of: /"id":"([^"]+)"/)?.1
            added.append(String(try #require(id, "\(answer.text.prefix(1000))")))
        }
        let page = try await baton.send("GET", "/baton/v1/images/\(image)/locations")
        #expect(page.status == 200 && page.count < 17 << 20, "the list has more than one page")
        let table = try await Self.run(["location", "list", image], at: url)
        let object = try Self.object(try await Self.run(["location", "list", image, "--json"], at: url))
        let listed = try #require(object["locations"] as? [[String: Any]])
        #expect(listed.compactMap { $0["id"] as? String } == added && object["next"] == nil)
        #expect(added.allSatisfy(table.output.contains))
    }

    @Test("Control characters in names, reasons and messages reach the terminal as escapes")
    func controlCharactersAreEscapedForTheTerminal() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin])
        let url = "http://127.0.0.1:\(baton.port)"
        let hostile = "a\u{1B}]0;x\u{07}b\u{202E}c\u{2028}d\u{9B}e\nf"
        let body = try JSONSerialization.data(
            withJSONObject: ["name": hostile, "disk_format": "raw", "container_format": "bare"])
        let created = try await baton.send("POST", "/v2/images", body: String(decoding: body, as: UTF8.self))
        let image = try #require(created.json["id"] as? String, "\(created.text)")
        let location = try await baton.addLocations([origin.url()], to: image, of: Self.content)[0]
        let disabled = try await Self.run(["location", "disable", location, "--reason", hostile], at: url)
        #expect(disabled.status == 0, "\(disabled.errors)")
        for command in [
            ["image", "list"], ["image", "show", image], ["location", "history", location], ["explain", image],
            ["get", hostile + "x"],
            ["image", "list", "--json"], ["image", "show", image, "--json"], ["location", "history", location, "--json"],
        ] {
            let result = try await Self.run(command, at: url)
            for scalar in (result.output + result.errors).unicodeScalars where scalar != "\n" {
                let isHarmless =
                    scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value) && scalar != "\u{202E}"
                    && scalar != "\u{2028}"
                #expect(isHarmless, "\(command): \(scalar.value)")
            }
        }
        // A separate line would look like one of Baton's.
        let missing = try await Self.run(["get", "x\nbaton: all is well"], at: url)
        #expect(missing.errors.split(separator: "\n").count == 1 && missing.errors.contains(#"x\nbaton"#), "\(missing.errors)")
        let shown = try await Self.run(["image", "list"], at: url)
        #expect(shown.output.contains(#"a\u{1B}]0;x\u{7}b\u{202E}c\u{2028}d\u{9B}e\nf"#), "\(shown.output)")
    }
}
