import FaultyOrigin
import Foundation
import Glibc
import Testing

/// `baton check`: the errors and the warnings that it reports for a configuration on this machine.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct CheckScenarios {
    /// A directory with a valid configuration, which a test changes.
    private struct Setting {
        let directory: TestDirectory

        init() throws {
            directory = try TestDirectory()
            for name in ["images", "more", "images/inner"] {
                try FileManager.default.createDirectory(atPath: directory.file(name), withIntermediateDirectories: true)
            }
        }

        /// Runs `check` on a file with these lines.
        func check(
            _ lines: String..., port: Int = 0, catalog: String = "catalog.sqlite", arguments: [String] = []
        ) async throws -> BatonCommand.Result {
            let yaml = "server: { listen: \"127.0.0.1:\(port)\" }\ncatalog: \"sqlite:\(directory.file(catalog))\"\n"
            let file = try directory.write(yaml + lines.joined(separator: "\n") + "\n", to: "baton.yaml")
            return try await BatonCommand.run(["check", "--config", file] + arguments, in: directory.path)
        }

        func root(_ name: String) -> String { #"driver: file, root: "\#(directory.file(name))""# }
    }

    @Test("A valid configuration creates no files and has no warnings")
    func inOrder() async throws {
        let setting = try Setting()
        let result = try await setting.check("backends: { a: { \(setting.root("images")) }, b: { \(setting.root("more")) } }")
        #expect(result.status == 0 && result.errors.isEmpty && result.output.contains("is in order"), "\(result)")
        #expect(!FileManager.default.fileExists(atPath: setting.directory.file("catalog.sqlite")))
        let deep = try await setting.check(catalog: "not/there/yet/catalog.sqlite")
        #expect(deep.status == 0, "the first start creates its directories: \(deep.errors)")
        #expect(!FileManager.default.fileExists(atPath: setting.directory.file("not")))
    }

    @Test("A root must be an existing directory that no other backend uses")
    func rootsAreDirectories() async throws {
        let setting = try Setting()
        try setting.directory.write("x", to: "file")
        #expect(symlink("/", setting.directory.file("all")) == 0)
        #expect(symlink("images", setting.directory.file("same")) == 0)
        for (root, sentence) in [
            ("missing", "No such file or directory"), ("file", "is not a directory"), ("all", "leads to the whole file system"),
        ] {
            let result = try await setting.check("backends:", "  a: { \(setting.root(root)) }")
            #expect(result.status == 1 && result.errors.contains("baton.yaml:4: backends.a.root:"), "\(result.errors)")
            #expect(result.errors.contains(sentence), "\(result.errors)")
        }
        let duplicates = try await setting.check(
            "backends:", "  a: { \(setting.root("images")) }", "  b: { \(setting.root("same")) }")
        #expect(
            duplicates.status == 1 && duplicates.errors.contains("backends.b.root")
                && duplicates.errors.contains("is also the directory of the backend a:"), "\(duplicates)")
    }

    @Test("The whole file system is refused as a root, however it is written", arguments: ["/", "//", "///"])
    func theWholeFileSystemIsNotARoot(root: String) async throws {
        let setting = try Setting()
        let result = try await setting.check("backends:", "  a: { driver: file, root: \"\(root)\" }")
        #expect(result.status == 1, "\(result)")
        #expect(result.errors.contains("backends.a.root: "), "\(result.errors)")
    }

    @Test(
        "Two backends with the same storage are refused",
        arguments: [
            (#"driver: http, url: "http://h/x""#, #"driver: http, url: "HTTP://H:80/x/""#),
            (#"driver: http, url: "http://localhost:8000/x""#, #"driver: http, url: "http://127.0.0.1:8000/x""#),
            (#"driver: file, root: "/usr/share""#, #"driver: file, root: "/usr/share/""#),
            (#"driver: s3, url: "http://s", bucket: abc"#, #"driver: s3, url: "http://s/", bucket: abc, style: virtual"#),
            (#"driver: s3, url: "http://s", bucket: abc, prefix: a"#, #"driver: http, url: "http://s/abc/a""#),
            (
                #"driver: swift, container: c, storage_url: "http://s/v1/A""#,
                #"driver: swift, container: c, storage_url: "http://s/v1/A/""#
            ),
        ])
    func sameStorageForTwoBackends(first: String, second: String) async throws {
        let setting = try Setting()
        let result = try await setting.check("backends:", "  a: { \(first) }", "  b: { \(second) }")
        #expect(result.status == 1 && result.errors.contains("baton.yaml:5: backends.b."), "\(result)")
        #expect(result.errors.contains("names the same objects as the backend a"), "\(result.errors)")
        let serving = try await BatonCommand.run(
            ["serve", "--config", setting.directory.file("baton.yaml")], in: setting.directory.path)
        #expect(serving.status == 1 && serving.errors.contains("names the same objects as the backend a"), "\(serving.errors)")
    }

    @Test("Backends that overlap are allowed, with a warning")
    func overlapping() async throws {
        let setting = try Setting()
        for (first, second) in [
            (setting.root("images"), setting.root("images/inner")),
            (#"driver: http, url: "http://h/x/y""#, #"driver: http, url: "http://h/x""#),
            (#"driver: s3, url: "http://s", bucket: abc"#, #"driver: s3, url: "http://s", bucket: abc, prefix: a"#),
        ] {
            let result = try await setting.check("backends:", "  a: { \(first) }", "  b: { \(second) }")
            #expect(
                result.status == 0 && result.errors.contains("warning:") && result.errors.contains("overlaps with"), "\(result)"
            )
        }
        let apart = try await setting.check(
            "backends:", #"  a: { driver: http, url: "http://h/x" }"#, #"  b: { driver: http, url: "http://h/xy" }"#)
        #expect(apart.status == 0 && apart.errors.isEmpty, "\(apart.errors)")
    }

    @Test("Trusted networks that contain the internet give a warning, and private networks do not")
    func vastNetworks() async throws {
        let setting = try Setting()
        for key in ["trusted_networks", "trusted_proxies"] {
            for network in [
                "0.0.0.0/0", "::/0", "[0.0.0.0/1, 128.0.0.0/1]", "2000::/3", "::ffff:0.0.0.0/96", "[10.0.0.0/8, 0.0.0.0/0]",
            ] {
                let list = network.hasPrefix("[") ? network : "[\"\(network)\"]"
                let result = try await setting.check("auth: { \(key): \(list) }")
                #expect(
                    result.status == 0 && result.errors.contains("warning: ") && result.errors.contains("auth.\(key)"),
                    "\(network): \(result)")
            }
            let own = try await setting.check(
                "auth: { \(key): [10.0.0.0/8, 192.0.2.1, \"fd00::/8\", \"fc00::/7\", \"2001:db8::/32\"] }")
            #expect(own.status == 0 && own.errors.isEmpty, "\(own)")
        }
    }

    @Test("An attach rule without a prefix on the uploads' backend gives a warning")
    func attachOnUploads() async throws {
        let setting = try Setting()
        for (rule, isWarned) in [
            ("role: member", true), (#"role: member, prefix: "/""#, true), ("role: admin", false),
            (#"role: member, prefix: "mine/""#, false),
        ] {
            let result = try await setting.check(
                "uploads: { backend: a }", "backends: { a: { \(setting.root("images")), attach: { \(rule) } } }")
            #expect(result.status == 0 && result.errors.contains("other users' uploads") == isWarned, "\(rule): \(result)")
        }
    }

    @Test("A secret that others can read gives a warning, and one that cannot be read is an error")
    func secrets() async throws {
        let setting = try Setting()
        let secret = try setting.directory.write("hush-hush", to: "secret")
        let backend = #"backends: { a: { driver: http, url: "http://h/", user: me, password_file: "\#(secret)" } }"#
        for (mode, isWarned) in [(mode_t(0o600), false), (0o640, false), (0o644, true), (0o602, true)] {
            #expect(chmod(secret, mode) == 0)
            let result = try await setting.check(backend)
            #expect(
                result.status == 0 && result.errors.contains("password_file: every user of this machine") == isWarned,
                "\(mode): \(result)")
            #expect(!(result.errors + result.output).contains("hush-hush"))
        }
        unlink(secret)
        let missing = try await setting.check(backend)
        #expect(
            missing.status == 1 && missing.errors.contains("secret can't be read: there is no such file"), "\(missing.errors)")
        #expect(mkdir(secret, 0o700) == 0)
        let directory = try await setting.check(backend)
        #expect(
            directory.status == 1 && directory.errors.contains("secret can't be read: it is a directory"), "\(directory.errors)"
        )
    }

    @Test("A catalog that is invalid, or in a place where none can be made, is an error")
    func catalogs() async throws {
        let setting = try Setting()
        try setting.directory.write(String(repeating: "no database ", count: 1000), to: "catalog.sqlite")
        let other = try await setting.check()
        #expect(other.status == 1 && other.errors.contains(":2: catalog: "), "\(other.errors)")
        try setting.directory.write("x", to: "file")
        let below = try await setting.check(catalog: "file/catalog.sqlite")
        #expect(below.status == 1 && below.errors.contains("catalog: "), "\(below.errors)")
        let folder = try await setting.check(catalog: "images")
        #expect(folder.status == 1 && folder.errors.contains("catalog: "), "\(folder.errors)")
        try FileManager.default.createDirectory(atPath: setting.directory.file("images/db"), withIntermediateDirectories: true)
        let baton = try await BatonProcess(backends: [:])
        let real = try await BatonCommand.run(["check", "--config", baton.directory.file("baton.yaml")])
        #expect(real.status == 0 || real.errors.contains("server.listen"), "the catalog of a running server: \(real.errors)")
    }

    @Test("A port that another program holds is an error, and one that a Baton server holds is a warning")
    func ports() async throws {
        let setting = try Setting()
        let other = try FaultyOrigin(PatternedContent(size: 1, seed: 1))
        defer { other.stop() }
        let taken = try await setting.check(port: other.port)
        #expect(taken.status == 1 && taken.errors.contains(":1: server.listen: 127.0.0.1:\(other.port) is taken"), "\(taken)")
        let baton = try await BatonProcess(backends: [:])
        let own = try await setting.check(port: baton.port)
        #expect(
            own.status == 0 && own.errors.contains("in use by a running Baton server, process \(baton.processID)"), "\(own)")
        let free = try await setting.check(port: try FaultyOrigin.refusedPort())
        #expect(free.status == 0 && free.errors.isEmpty, "\(free)")
    }

    @Test("--online probes each backend and reports which ones cannot be used")
    func online() async throws {
        let setting = try Setting()
        let content = PatternedContent(size: 1, seed: 1)
        let empty = try FaultyOrigin(content) { _ in .status(404) }
        let closed = try FaultyOrigin(content) { _ in .status(401) }
        let broken = try FaultyOrigin(content) { _ in .status(500) }
        let guarded = try FaultyOrigin(content) { _ in .status(403) }
        defer { for origin in [empty, closed, broken, guarded] { origin.stop() } }
        let port = try FaultyOrigin.refusedPort()
        let good = try await setting.check(
            "backends:", "  disk: { \(setting.root("images")) }", #"  empty: { driver: http, url: "\#(empty.url(""))" }"#,
            #"  bucket: { driver: s3, url: "\#(guarded.url(""))", bucket: abc }"#, arguments: ["--online"])
        #expect(good.status == 0, "\(good)")
        #expect(good.output.contains("disk: ready"), "every backend has its line: \(good.output)")
        #expect(good.output.contains("empty: ready") && good.output.contains("bucket: uncertain"), "\(good.output)")
        #expect(empty.record.requests.count == 1)
        for url in [closed.url(""), broken.url(""), "http://127.0.0.1:\(port)/"] {
            let bad = try await setting.check("backends:", #"  bad: { driver: http, url: "\#(url)" }"#, arguments: ["--online"])
            #expect(bad.status == 1 && bad.output.contains("bad: unusable") && bad.errors.contains("backends.bad"), "\(bad)")
            let offline = try await setting.check("backends:", #"  bad: { driver: http, url: "\#(url)" }"#)
            #expect(offline.status == 0)
        }
    }

    @Test("--json prints one object in every case")
    func json() async throws {
        let setting = try Setting()
        func object(_ result: BatonCommand.Result) throws -> [String: Any] {
            try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any], "\(result)")
        }
        let good = try await setting.check("auth: { trusted_networks: [0.0.0.0/0] }", arguments: ["--json"])
        let report = try object(good)
        #expect(
            (report["problems"] as? [Any])?.isEmpty == true
                && (report["warnings"] as? [[String: Any]])?.first?["line"] as? Int == 3)
        for lines in ["relay: { tail: x }", "backends: { a: { \(setting.root("missing")) } }"] {
            let bad = try object(try await setting.check(lines, arguments: ["--json"]))
            let error = try #require(bad["error"] as? [String: Any])
            #expect(error["kind"] as? String == "configuration" && error["code"] as? Int == 1)
            #expect((bad["problems"] as? [[String: Any]])?.first?["line"] as? Int == 3, "\(bad)")
        }
    }
}
