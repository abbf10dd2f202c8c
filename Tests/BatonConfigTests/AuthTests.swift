import Foundation
import NetworkAddress
import Testing

@testable import BatonConfig

@Suite struct AuthTests {
    /// A file with that text, and its path.
    static func file(_ text: String, _ body: (String) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "baton-secret-\(UUID().uuidString)"
        try Data(text.utf8).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    @Test("The mode tokens needs a readable file")
    func theModeTokensNeedsAReadableFile() throws {
        try Self.file("x") { path in
            let auth = try ConfigurationTests.load("auth: { mode: tokens, tokens_file: \"\(path)\" }").configuration.auth
            #expect(auth.mode == .tokens && auth.tokensFile == path)
        }
    }

    @Test("The mode keystone reads its credentials")
    func theModeKeystoneReadsItsCredentials() throws {
        try Self.file("s3cret\n") { path in
            let keystone = try ConfigurationTests.load(
                """
                auth:
                  mode: keystone
                  keystone: { url: "https://id.example/identity", user: baton, password_file: "\(path)", project: service,
                              user_domain: Users, cache: 30s, timeout: 1s, trusted_role: courier, ca_file: "\(path)" }
                """
            ).configuration.auth.keystone
            #expect(keystone.url == "https://id.example/identity")
            #expect(
                keystone.credentials
                    == .password(
                        user: "baton", userDomain: "Users", password: Secret("s3cret"), project: "service",
                        projectDomain: "Default"))
            #expect(keystone.cache == .seconds(30) && keystone.timeout == .seconds(1))
            #expect(keystone.trustedRole == "courier" && keystone.authorities == path)
            let other = try ConfigurationTests.load(
                """
                auth:
                  mode: keystone
                  keystone: { url: "http://id", application_credential_id: a1,
                              application_credential_secret_file: "\(path)" }
                """
            ).configuration.auth.keystone
            #expect(other.credentials == .applicationCredential(id: "a1", secret: Secret("s3cret")))
        }
    }

    @Test("Networks and proxies are lists in either of YAML's forms")
    func networksAndProxiesAreListsInEitherOfYAMLsForms() throws {
        let auth = try ConfigurationTests.load(
            "auth:\n  trusted_networks: [10.0.0.0/8, fd00::/8]\n  trusted_proxies:\n    - 192.0.2.1\n"
        ).configuration.auth
        #expect(auth.trustedNetworks == [try IPNetwork("10.0.0.0/8"), try IPNetwork("fd00::/8")])
        #expect(auth.trustedProxies == [try IPNetwork("192.0.2.1")])
    }

    @Test("A printed configuration shows no secret")
    func aPrintedConfigurationShowsNoSecret() throws {
        try Self.file("s3cret") { path in
            let configuration = try ConfigurationTests.load(
                """
                auth: { mode: keystone, keystone: { url: "http://id", user: u, password_file: "\(path)", project: p } }
                """
            ).configuration
            var dumped = ""
            dump(configuration, to: &dumped)
            #expect(!"\(configuration) \(String(reflecting: configuration)) \(dumped)".contains("s3cret"))
        }
    }

    @Test(
        "A server that authenticates its callers may listen on every address",
        arguments: ["tokens, tokens_file: \"FILE\"", "keystone, keystone: { url: \"http://id\" }"])
    func aServerThatAuthenticatesMayListenEverywhere(auth: String) throws {
        try Self.file("x") { path in
            let mode = auth.replacingOccurrences(of: "FILE", with: path)
            let yaml = "server: { listen: \"0.0.0.0:9292\" }\nauth: { mode: \(mode) }"
            let server = try ConfigurationTests.load(yaml).configuration.server
            #expect(server.listen.host == "0.0.0.0")
        }
    }

    @Test(
        "A problem is reported with file, line and key",
        arguments: [
            ("mode: magic", "baton.yaml:2: auth.mode: \"magic\" is not known; possible: none, tokens, keystone"),
            ("mode: tokens", "baton.yaml:2: auth.tokens_file: is missing; write for example tokens_file:"),
            ("tokens_file: /nowhere/t", "baton.yaml:2: auth.tokens_file: /nowhere/t can't be read: there is no such file"),
            ("tokens_file: /", "baton.yaml:2: auth.tokens_file: / can't be read"),
            ("mode: keystone", "auth.keystone.url: is missing; write for example url: \"http://127.0.0.1:5000\""),
            ("keystone: { url: \"ftp://x\" }", "baton.yaml:2: auth.keystone.url: is not an http or https URL"),
            ("keystone: { url: \"http://u:hush@x\" }", "baton.yaml:2: auth.keystone.url: is not an http or https URL"),
            ("keystone: { user: u, password_file: SECRET }", "baton.yaml:2: auth.keystone.user: needs project"),
            (
                "keystone: { user: u, project: p }",
                "baton.yaml:2: auth.keystone.user: needs password_file or password_env"
            ),
            ("keystone: { password_file: SECRET }", "baton.yaml:2: auth.keystone.password_file: needs user"),
            (
                "keystone: { application_credential_id: a }",
                "needs application_credential_secret_file or application_credential_secret_env"
            ),
            ("keystone: { application_credential_secret_file: SECRET }", "needs application_credential_id"),
            (
                "keystone: { application_credential_id: a, application_credential_secret_file: SECRET, user: u }",
                "baton.yaml:2: auth.keystone.application_credential_id: can't be combined with user; keep one of them"
            ),
            (
                "keystone: { user: u, project: p, password_file: /nowhere }",
                "auth.keystone.password_file: /nowhere can't be read"
            ),
            ("keystone: { cache: 5 }", "baton.yaml:2: auth.keystone.cache: \"5\" is not a duration"),
            ("keystone: { timout: 5s }", "baton.yaml:2: auth.keystone.timout: no such key; did you mean timeout?"),
            (
                "trusted_networks: [10.0.0.0/8, 10.1.0.0/8]",
                "auth.trusted_networks: \"10.1.0.0/8\" has address bits set beyond"
            ),
            (
                "trusted_networks: [example.org]",
                "baton.yaml:2: auth.trusted_networks: \"example.org\" is not a network; write for"
            ),
            ("trusted_networks: 10.0.0.0/8", "baton.yaml:2: auth.trusted_networks: must be a list of single values"),
            (
                "trusted_networks: [[10.0.0.0/8]]",
                "baton.yaml:2: auth.trusted_networks: must be a list of single values"
            ),
            (
                "trusted_proxies: [10.0.0.0/33]",
                "baton.yaml:2: auth.trusted_proxies: \"10.0.0.0/33\" has no valid prefix length after the slash"
            ),
            ("keystone: { trusted_role: \"\" }", "baton.yaml:2: auth.keystone.trusted_role: is empty"),
        ])
    func aProblemIsReportedWithFileLineAndKey(text: String, expected: String) throws {
        try Self.file("s3cret") { path in
            let problems = ConfigurationTests.problems("auth:\n  " + text.replacingOccurrences(of: "SECRET", with: path))
            #expect(problems.count == 1, "\(problems)")
            #expect(problems.first?.contains(expected) == true, "\(problems)")
            #expect(!problems.joined().contains("s3cret") && !problems.joined().contains("hush"))
        }
    }

    @Test("A secret is exactly one line", arguments: ["", "\n", "one\ntwo\n"])
    func aSecretIsExactlyOneLine(text: String) throws {
        try Self.file(text) { path in
            let problems = ConfigurationTests.problems(
                "auth: { keystone: { user: u, project: p, password_file: \"\(path)\" } }")
            #expect(problems.count == 1 && problems[0].contains("does not contain a secret"), "\(problems)")
        }
    }
}
