import FaultyOrigin
import Foundation
import Glibc
import Servers
import Testing
import Waiting

/// `baton serve --dir` and `--demo`: a server without a configuration file.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct DirectoryScenarios {
    /// A server of one directory, ended with it.
    private final class Server {
        /// All that it printed until it said how to download.
        let text: String
        private let process = Process()
        private let errors = Pipe()
        private let output = Pipe()

        init(_ arguments: [String], environment: [String: String] = [:]) async throws {
            process.executableURL = URL(filePath: BatonCommand.path)
            process.arguments = ["serve", "--listen", "127.0.0.1:0"] + arguments
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = output
            process.standardError = errors
            try process.run()
            let handle = output.fileHandleForReading
            text = try await onOwnThread {
                try handle.read(until: "the line that says how to download") { text in
                    text.contains("  baton get") && text.hasSuffix("\n") ? text : nil
                }
            }
        }

        /// The URL of an image.
        func url(of name: String) throws -> String {
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(name + " ") }, "\(text)")
            return String(try #require(line.split(separator: " ").last))
        }

        /// What it says on standard error, up to a word.
        func errors(until word: String) async throws -> String {
            let handle = errors.fileHandleForReading
            return try await onOwnThread { try handle.read(until: word) { $0.contains(word) ? $0 : nil } }
        }

        /// Ends it.
        func stop() async -> Int32 {
            process.terminate()
            let process = process
            return (try? await onOwnThread { process.exitCode() }) ?? -1
        }

        deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
    }

    /// Runs curl, which tries again as long as an image has not been read.
    private static func curl(_ arguments: [String], in directory: TestDirectory) async throws -> BatonCommand.Result {
        try await BatonCommand.run(
            ["-sS", "--retry", "60", "--retry-delay", "1"] + arguments, program: "/usr/bin/curl", in: directory.path)
    }

    private static func content(_ directory: TestDirectory, _ name: String) throws -> Data {
        try Data(contentsOf: URL(filePath: directory.file(name)))
    }

    @Test("Every image of a directory can be downloaded, whole and in parts, whatever its name")
    func images() async throws {
        let (directory, downloads) = (try TestDirectory(), try TestDirectory())
        try FileManager.default.createDirectory(atPath: directory.file("sub/.git"), withIntermediateDirectories: true)
        let names = ["a disk.raw", "größe 日本.img", "sub/inner.iso", "it's.img"]
        for (seed, name) in names.enumerated() {
            try PatternedContent(size: 2_500_001, seed: UInt64(seed + 1)).write(to: directory.file(name))
        }
        try PatternedContent(size: 2_000_000, seed: 9).write(to: directory.file("weights"))
        for name in [".hidden.img", "sub/.git/inner.img", "README.md"] { try directory.write("text", to: name) }
        let server = try await Server(["--dir", directory.path])
        #expect(server.text.contains("Serving 5 images of"), "\(server.text)")
        for hidden in ["hidden", ".git", "README"] { #expect(!server.text.contains(hidden), "\(server.text)") }
        for name in names + ["weights"] {
            let url = try server.url(of: name)
            let whole = try await Self.curl(["--fail", "-o", "whole", url], in: downloads)
            #expect(whole.status == 0, "\(name): \(whole.errors)")
            let bytes = try Self.content(directory, name)
            #expect(try Self.content(downloads, "whole") == bytes, "\(name)")
            let part = try await Self.curl(["-r", "1048000-1049999", "-w", "%{http_code}", "-o", "part", url], in: downloads)
            #expect(part.output == "206", "\(name)")
            #expect(try Self.content(downloads, "part") == bytes[1_048_000..<1_050_000], "\(name)")
        }
        // What it says to type works as it stands.
        let commands = server.text.split(separator: "\n").filter { $0.hasPrefix("  curl ") || $0.hasPrefix("  baton get ") }
        #expect(commands.count == 2)
        let typed = try TestDirectory()
        for command in commands {
            let script = command.replacing("  baton", with: BatonCommand.path)
            let run = try await BatonCommand.run(
                ["-c", String(script)], program: "/bin/bash", in: typed.path)
            #expect(run.status == 0, "\(command): \(run.errors)")
        }
    }

    @Test("Symbolic links are not followed, and what can't be served is named with its reason")
    func skipped() async throws {
        let (directory, outside) = (try TestDirectory(), try TestDirectory())
        try PatternedContent(size: 100_000, seed: 1).write(to: directory.file("good.img"))
        try PatternedContent(size: 100_000, seed: 2).write(to: outside.file("secret.img"))
        #expect(symlink(outside.file("secret.img"), directory.file("link.img")) == 0)
        #expect(symlink(outside.path, directory.file("linked")) == 0)
        try directory.write("", to: "empty.img")
        #expect(mkfifo(directory.file("pipe.img"), 0o600) == 0 && mkfifo(directory.file("pipe"), 0o600) == 0)
        // A qcow2 image under another name, and one that names a backing file.
        var qcow2: [UInt8] = [0x51, 0x46, 0x49, 0xFB, 0, 0, 0, 3] + [UInt8](repeating: 0, count: 1016)
        try Data(qcow2).write(to: URL(filePath: directory.file("cirros.img")))
        qcow2[15] = 200
        try Data(qcow2).write(to: URL(filePath: directory.file("overlay.img")))
        let server = try await Server(["--dir", directory.path])
        #expect(!server.text.contains("secret") && !server.text.contains("link"), "\(server.text)")
        #expect(try server.url(of: "good.img").hasSuffix("/file"))
        #expect(server.text.contains(try Regex("cirros.img +qcow2")), "\(server.text)")
        let errors = try await server.errors(until: "backing file")
        #expect(errors.contains("baton: link.img is skipped: symbolic links are not followed"), "\(errors)")
        #expect(errors.contains("baton: empty.img is skipped: it is empty"), "\(errors)")
        #expect(errors.contains("baton: pipe.img is skipped: it is not a regular file"), "\(errors)")
        #expect(!errors.contains("pipe is skipped"), "\(errors)")
        #expect(errors.contains("baton: overlay.img is not served: "), "\(errors)")
    }

    @Test("A second start serves the same URLs, and a server that ends leaves nothing behind")
    func secondStart() async throws {
        let (directory, temporary) = (try TestDirectory(), try TestDirectory())
        try PatternedContent(size: 100_000, seed: 1).write(to: directory.file("a.img"))
        var paths: [String] = []
        for _ in 0..<2 {
            let server = try await Server(["--dir", directory.path], environment: ["TMPDIR": temporary.path])
            let url = try server.url(of: "a.img")
            let download = try await Self.curl(["--fail", "-o", "a", url], in: temporary)
            #expect(download.status == 0, "\(download.errors)")
            paths.append(URL(string: url)?.path ?? "")
            #expect(await server.stop() == 0)
            #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.path) == ["a"])
        }
        #expect(paths[0] == paths[1] && paths[0].hasPrefix("/v2/images/"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["a.img"])
    }

    @Test("The demonstration needs no file at all")
    func demonstration() async throws {
        let (temporary, downloads) = (try TestDirectory(), try TestDirectory())
        let server = try await Server(["--demo"], environment: ["TMPDIR": temporary.path])
        let download = try await Self.curl(["--fail", "-o", "image", try server.url(of: "demo-4MiB.raw")], in: downloads)
        #expect(download.status == 0, "\(download.errors)")
        #expect(try Self.content(downloads, "image").count == 4 << 20)
        #expect(await server.stop() == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.path).isEmpty)
    }

    @Test("What keeps a directory from being served is one sentence")
    func sentences() async throws {
        let directory = try TestDirectory()
        try FileManager.default.createDirectory(atPath: directory.file("empty"), withIntermediateDirectories: true)
        try PatternedContent(size: 1000, seed: 1).write(to: directory.file("file.img"))
        let listener = try ListeningSocket()
        for (arguments, status, sentence) in [
            (["--dir", directory.file("none")], 1, "none can't be served: there is no such directory."),
            (["--dir", directory.file("file.img")], 1, "file.img can't be served: it is not a directory."),
            (["--dir", directory.file("empty")], 1, "empty contains no image: put a disk image in it"),
            (["--dir", "/"], 1, "is the whole file system"),
            (["--dir", directory.path, "--demo"], 64, "exclude each other"),
            (["--dir", directory.path, "--config", "x.yaml"], 64, "--config is not used with --dir"),
            (["--dir", directory.path, "--listen", "0.0.0.0:0"], 64, "can be reached from other machines"),
            (
                ["--dir", directory.path, "--listen", "127.0.0.1:\(listener.port)"], 1,
                "127.0.0.1:\(listener.port) is taken by another program: stop that one, or choose another port with --listen."
            ),
        ] {
            let result = try await BatonCommand.run(["serve"] + arguments)
            #expect(result.status == Int32(status) && result.errors.contains(sentence), "\(arguments): \(result)")
        }
    }
}
