import Foundation
import ImageModel
import LocationSelection
import RelayEngine
import Testing

@testable import BatonConfig

@Suite struct ConfigurationTests {
    /// Drivers as the executable has them, as far as keys go.
    static func readServerAccess(_ settings: Section) {
        for key in ["ca_file", "client_certificate_file", "client_key_file"] { _ = settings.file(key, pem: "", "") }
        for key in ["client_key_passphrase_file", "proxy_password_file"] { _ = settings.secret(inFile: key) }
        for key in ["proxy", "proxy_user"] { _ = settings.string(key) }
        _ = settings.strings("allow_addresses")
    }

    static var drivers: [String: ConfigurationFile<String>.ReadBackend] {
        [
            "http": { section, _ in
                readServerAccess(section.settings)
                _ = (section.settings.string("user"), section.settings.secret("password"), section.settings.secret("token"))
                _ = (section.settings.section("header_files"), section.settings.strings("allow_redirects_to"))
                let attach = section.settings.section("attach")
                _ = (attach.string("role"), attach.string("prefix"))
                _ = section.settings.boolean("redirect", default: false)
                _ = (section.settings.string("max_connections"), section.settings.string("queue_timeout"))
                return section.settings.requiredString("url", example: "http://x/")
            },
            "file": { section, _ in section.settings.requiredString("root", example: "/x") },
            "s3": { section, _ in
                let settings = section.settings
                for key in ["bucket", "style", "region", "prefix", "access_key"] { _ = settings.string(key) }
                for name in ["secret_key", "session_token"] { _ = settings.secret(name) }
                readServerAccess(settings)
                return settings.requiredString("url", example: "http://x/")
            },
            "swift": { section, _ in
                let settings = section.settings
                let keystone = settings.section("keystone")
                readServerAccess(settings)
                for key in ["prefix", "auth_url", "user", "storage_url", "auth_timeout", "temp_url_digest"] {
                    _ = settings.string(key)
                }
                for name in ["key", "temp_url_key"] { _ = settings.secret(name) }
                _ = (keystone.keystoneURL(isNeeded: false), keystone.keystoneCredentials())
                for key in ["service_type", "region", "interface"] { _ = keystone.string(key) }
                return settings.requiredString("container", example: "x")
            },
        ]
    }

    static func load(_ yaml: String) throws(ConfigurationError) -> ConfigurationFile<String> {
        try ConfigurationFile(yaml: yaml, named: "baton.yaml", drivers: drivers)
    }

    static func problems(_ yaml: String) -> [String] {
        do {
            _ = try load(yaml)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    static var sample: String {
        get throws {
            let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().appending(path: "config/baton.yaml")
            return try String(contentsOf: file, encoding: .utf8)
        }
    }

    @Test("The sample file has every key with its default")
    func theSampleFileHoldsEveryKeyWithItsDefault() throws {
        let sample = try Self.sample
        let file = try Self.load(sample)
        #expect(file.configuration == BatonConfiguration())
        #expect(file.backends == ["http://127.0.0.1:9001/", "/srv/images", "http://127.0.0.1:9000", "images"])
        // Every key that was looked for stands in the file; unknown ones would have been an error.
        for key in file.knownKeys {
            let name = key.split(separator: ".").last ?? ""
            #expect(sample.contains(try Regex("(?m)^ *\(name):")), "\(key) is missing in config/baton.yaml")
        }
        #expect(file.knownKeys.count > 30)
    }

    @Test("An empty file means the defaults")
    func anEmptyFileMeansTheDefaults() throws {
        for yaml in ["", "# nothing\n", "server:\n", "relay: {}\n", "backends: {}"] {
            #expect(try Self.load(yaml).configuration == BatonConfiguration())
        }
    }

    @Test("Values in the file are read")
    func valuesAreRead() throws {
        let yaml = """
            server: { listen: "[::1]:0", drain_timeout: 0s }
            catalog: "sqlite:/tmp/c"
            selection: { strategy: weighted }
            relay: { stall_timeout: 500ms, stall_timeout_limit: 2m, tail: 65536, slab: 64KiB, window: 128KiB,
                     slow_factor: 0, slow_window: 1s, slow_rate: 1MiB, slow_dwell: 1m }
            transfer: { file_range: 100KiB, loops: 3 }
            manifests: { chunk_size: 256KiB }
            log: { level: debug, format: json }
            """
        let configuration = try Self.load(yaml).configuration
        #expect(configuration.server.listen == ListenAddress(host: "::1", port: 0))
        #expect(configuration.server.drainTimeout == .zero)
        #expect(configuration.catalog == "/tmp/c")
        #expect(configuration.selection.strategy == .weighted)
        #expect(configuration.relay.policy.stallTimeout == .milliseconds(500))
        #expect(configuration.relay.policy.stallTimeoutLimit == .seconds(120))
        #expect(configuration.relay.policy.tail == 64 << 10)
        #expect(configuration.relay.policy.slow.factor == 0)
        #expect(configuration.relay.policy.slow.window == .seconds(1))
        #expect(configuration.relay.policy.slow.floor == 1 << 20)
        #expect(configuration.relay.policy.slow.dwell == .seconds(60))
        #expect(configuration.transfer.fileRange == .kibibytes(100))
        #expect(configuration.transfer.loops == 3)
        #expect(configuration.chunkSize == 262_144)
        #expect(configuration.log == .init(level: .debug, format: .json))
    }

    @Test("Names of earlier versions are read, each with a warning that has the line and the new name")
    func namesOfEarlierVersions() throws {
        let file = try Self.load("log: {}\nupkeep:\n  readers: 3\n  round: 5s\n")
        #expect(file.configuration.maintenance.readers == 3 && file.configuration.maintenance.interval == .seconds(5))
        let expected = [
            "baton.yaml:2: upkeep: is the former name of maintenance; write maintenance",
            "baton.yaml:4: maintenance.round: is the former name of interval; write interval",
        ]
        #expect(file.warnings.map(\.description) == expected)
        #expect(file.configuration.formerKeys.map(\.description) == expected)
        #expect(try Self.load("maintenance: { round: 5s }").configuration.maintenance.interval == .seconds(5))
        #expect(
            Self.problems("maintenance: { interval: 1s }\nupkeep: { round: 5s }") == [
                "baton.yaml:2: upkeep: is the former name of maintenance, which is also set; remove upkeep"
            ])
        #expect(
            Self.problems("upkeep:\n  rounds: 5s\n").first?.hasPrefix("baton.yaml:2: maintenance.rounds: no such key") == true)
    }

    @Test("The limits of a download have one default")
    func oneDefault() {
        #expect(BatonConfiguration().relay.policy == RelayPolicy())
    }

    @Test(
        "A problem is reported with file, line and key",
        arguments: [
            ("relay:\n  stall_timout: 3s\n", "baton.yaml:2: relay.stall_timout: no such key; did you mean stall_timeout?"),
            ("relay:\n  stall_timeout: 3 parsecs\n", "baton.yaml:2: relay.stall_timeout: \"3 parsecs\" is not a duration"),
            ("relay: { stall_timeout: 3 }", "baton.yaml:1: relay.stall_timeout: \"3\" is not a duration"),
            ("relay: { stall_timeout: 1ms }", "baton.yaml:1: relay.stall_timeout: 1ms is out of range: from 50ms to 10m"),
            ("relay: { tail: 1MB }", "baton.yaml:1: relay.tail: \"1MB\" is not a number of bytes"),
            ("relay: { tail: -1 }", "baton.yaml:1: relay.tail: \"-1\" is not a number of bytes"),
            ("relay: { tail: 99999999999GiB }", "baton.yaml:1: relay.tail: \"99999999999GiB\" is not a number of bytes"),
            ("relay: { tail: 1GiB }", "baton.yaml:1: relay.tail: 1GiB is out of range: from 64KiB to 64MiB"),
            ("relay: { slab: 4MiB, window: 1MiB }", "baton.yaml:1: relay.window: 1MiB is out of range: from 8MiB to 1GiB"),
            ("relay: { revisits: many }", "baton.yaml:1: relay.revisits: \"many\" is not a whole number"),
            ("relay: 5", "baton.yaml:1: relay: must be a mapping of keys to values"),
            ("relay: { tail: [1] }", "baton.yaml:1: relay.tail: must be a single value"),
            ("- a\n- b\n", "baton.yaml:1: must be a mapping of keys to values"),
            ("colour: red", "baton.yaml:1: colour: no such key; possible: activation, auth, backends, catalog, direct, log"),
            (
                "selection: { strategy: best }",
                "baton.yaml:1: selection.strategy: \"best\" is not known; possible: ordered, weighted, measured"
            ),
            (
                "selection: { breaker_failures: 0 }",
                "baton.yaml:1: selection.breaker_failures: 0 is out of range: from 1 to 1000"
            ),
            ("direct: { lifetime: 8d }", "baton.yaml:1: direct.lifetime: 8d is out of range: from 1s to 7d"),
            (
                "manifests: { chunk_size: 32KiB }",
                "baton.yaml:1: manifests.chunk_size: 32KiB is out of range: from 64KiB to 16MiB"
            ),
            ("manifests: { chunk_size: 3MiB }", "baton.yaml:1: manifests.chunk_size: 3MiB is not a power of two"),
            ("activation: trust", "baton.yaml:1: activation: \"trust\" is not known; possible: probe, verify"),
            ("maintenance: { scrub_interval: soon }", "baton.yaml:1: maintenance.scrub_interval: \"soon\" is not a duration"),
            ("maintenance: { readers: 0 }", "baton.yaml:1: maintenance.readers: 0 is out of range: from 1 to 64"),
            ("catalog: \"postgres://x\"", "baton.yaml:1: catalog: \"postgres://x\" is not a catalog"),
            (
                "server: { listen: \"0.0.0.0:80\" }",
                "baton.yaml:1: server.listen: \"0.0.0.0:80\" can be reached from other machines"
            ),
            ("server: { listen: \"example.org:80\" }", "baton.yaml:1: server.listen: \"example.org:80\" can be reached"),
            ("server: { listen: \"[::]:80\" }", "baton.yaml:1: server.listen: \"[::]:80\" can be reached from other machines"),
            (
                "server: { cors_origins: [\"*\"] }",
                "baton.yaml:1: server.cors_origins: \"*\" allows every web page, which is not possible with auth.mode none"
            ),
            (
                "server: { cors_origins: [console.example] }",
                "baton.yaml:1: server.cors_origins: \"console.example\" is not an origin"
            ),
            (
                "server: { cors_origins: [\"http://a/b\"] }",
                "baton.yaml:1: server.cors_origins: \"http://a/b\" is not an origin"
            ),
            (
                "server: { public_url: images.example }",
                "baton.yaml:1: server.public_url: \"images.example\" is not the URL of a server"
            ),
            ("server: { listen: \"unix:run/x\" }", "baton.yaml:1: server.listen: \"unix:run/x\" is not an address and port"),
            ("server: { listen: \"unix:/\(String(repeating: "x", count: 107))\" }", "baton.yaml:1: server.listen: \"unix:/xxx"),
            ("server: { socket_mode: \"1660\" }", "baton.yaml:1: server.socket_mode: \"1660\" is not a mode for files"),
            ("server: { socket_mode: rw }", "baton.yaml:1: server.socket_mode: \"rw\" is not a mode for files"),
            ("server: { socket_mode: \"0066\" }", "baton.yaml:1: server.socket_mode: \"0066\" is not a mode for files"),
            ("server: { socket_mode: \"0777\" }", "baton.yaml:1: server.socket_mode: \"0777\" is not a mode for files"),
            ("server: { socket_mode: \"0666\" }", "baton.yaml:1: server.socket_mode: \"0666\" is not a mode for files"),
            ("server: { max_connections: 0 }", "baton.yaml:1: server.max_connections: 0 is out of range: from 1 to 1000000"),
            ("server: { listen: 9292 }", "baton.yaml:1: server.listen: \"9292\" is not an address and port"),
            (
                "server: { listen: \"127.0.0.1:99999\" }",
                "baton.yaml:1: server.listen: \"127.0.0.1:99999\" is not an address and port"
            ),
            ("backends:\n  North: { driver: http, url: x }", "baton.yaml:2: backends.North: is not a backend id"),
            ("backends:\n  n: { url: x }", "baton.yaml:2: backends.n.driver: is missing; write for example driver: \"file\""),
            (
                "backends:\n  n: { driver: nfs }",
                "baton.yaml:2: backends.n.driver: \"nfs\" is not a driver; possible: file, http, s3"
            ),
            ("backends:\n  n: { driver: http }", "baton.yaml:2: backends.n.url: is missing"),
            ("backends:\n  n: { driver: http, url: x, colour: red }", "baton.yaml:2: backends.n.colour: no such key"),
            ("log:\n  level: info\n  level: debug\n", "contains a key twice: level"),
            ("log: {\n  level: info\n", "is not valid YAML"),
            ("log:\n\t- x", "baton.yaml:2: is not valid YAML"),
        ])
    func aProblemIsReportedWithFileLineAndKey(yaml: String, expected: String) {
        let problems = Self.problems(yaml)
        #expect(problems.count == 1, "\(problems)")
        #expect(problems.first?.contains(expected) == true, "\(problems)")
    }

    @Test("All problems are reported at once, in the order of their lines")
    func allProblemsAreReportedAtOnce() {
        let problems = Self.problems("relay:\n  tail: x\n  nope: 1\nlog:\n  level: loud\nserver:\n  listen: y\n")
        #expect(problems.map { $0.split(separator: ":")[1] } == ["2", "3", "5", "7"])
    }

    @Test("An unreadable file is reported")
    func anUnreadableFileIsReported() {
        let error = #expect(throws: ConfigurationError.self) {
            try ConfigurationFile(path: "/nowhere/baton.yaml", drivers: Self.drivers)
        }
        #expect(error?.description == "/nowhere/baton.yaml: can't be read: there is no such file; give another with --config")
    }

    /// Seeds are the arguments, so that a crash names its own.
    @Test("No mutation of the sample file crashes the parser", arguments: 0..<20)
    func noMutationOfTheSampleCrashes(seed: Int) throws {
        var state = UInt64(seed) &+ 1
        func random(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(count))
        }
        let sample = Array(try Self.sample.utf8)
        let alphabet = Array(":-{}[]#&*!|>'\"%@`,? \n\t0aZ\0\u{7F}".utf8)
        for _ in 0..<100 {
            var mutant = sample
            for _ in 0...random(8) {
                let position = random(mutant.count)
                switch random(3) {
                case 0: mutant[position] = alphabet[random(alphabet.count)]
                case 1: mutant.remove(at: position)
                default: mutant.insert(alphabet[random(alphabet.count)], at: position)
                }
            }
            for problem in Self.problems(String(decoding: mutant, as: UTF8.self)) {
                #expect(problem.hasPrefix("baton.yaml"))
            }
        }
    }

    @Test(
        "Log levels are read in any case, and warn means warning",
        arguments: [("warn", "warning"), ("WARN", "warning"), ("Warning", "warning"), ("error", "error"), ("DEBUG", "debug")])
    func logLevels(text: String, level: String) throws {
        #expect("\(try Self.load("log: { level: \(text) }").configuration.log.level)" == level)
        #expect(Self.problems("log: { level: loud }").first?.contains("possible: trace, debug, info") == true)
    }

    @Test("A backend's source changes only with its section or with a file that it names")
    func sources() throws {
        let directory = NSTemporaryDirectory() + "baton-sources-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let secret = directory + "/secret"
        func source(_ url: String, _ password: String, comment: String = "") throws -> BackendSource? {
            try Data(password.utf8).write(to: URL(filePath: secret))
            let yaml = "backends:\n  x: { driver: http, url: \"\(url)\", user: u, password_file: \"\(secret)\" } \(comment)\n"
            return try Self.load(yaml).sources[BackendID("x")]
        }
        let first = try #require(try source("http://a/", "one"))
        #expect(try source("http://a/", "one", comment: "# said again") == first)
        #expect(try source("http://b/", "one") != first)
        #expect(try source("http://a/", "two") != first)
    }
}
