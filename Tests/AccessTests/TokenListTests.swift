import Foundation
import Logging
import Synchronization
import Testing

@testable import Access

@Suite struct TokenListTests {
    static let now = Date(timeIntervalSince1970: 1_800_000_000)

    static func line(_ token: String, _ rest: String) -> String { "\(TokenDigest(of: token)) \(rest)\n" }

    static func list(_ text: String) throws(TokenFileError) -> TokenList { try TokenList(text, named: "tokens") }

    @Test("A token stands for its user, project and roles")
    func aTokenStandsForItsUserProjectAndRoles() throws {
        let list = try Self.list(
            "# who may get in\n\n" + Self.line("one", "alice a member,trusted  # until she leaves")
                + Self.line("two", "bob - -"))
        #expect(
            try list.caller(of: "one", at: Self.now) == Caller(user: "alice", project: "a", roles: [.member, .trusted]))
        #expect(try list.caller(of: "two", at: Self.now) == Caller(user: "bob", project: nil, roles: []))
    }

    @Test("A token that is not in the list is unknown", arguments: ["", "On", "one ", "ONE", "one\u{0}"])
    func aTokenThatIsNotInTheListIsUnknown(token: String) throws {
        let list = try Self.list(Self.line("one", "alice a member"))
        #expect(throws: AuthenticationRefusal.unknown) { try list.caller(of: token, at: Self.now) }
    }

    @Test("The digest of a token is not accepted as a token")
    func theDigestIsNotAcceptedAsAToken() throws {
        let list = try Self.list(Self.line("one", "alice a member"))
        let digest = TokenDigest(of: "one").description
        #expect(throws: AuthenticationRefusal.unknown) { try list.caller(of: digest, at: Self.now) }
    }

    @Test("A token ends in the second in which it expires")
    func aTokenEndsInTheSecondItExpires() throws {
        let list = try Self.list(Self.line("one", "alice a member 2027-01-15T08:00:00Z"))
        let end = Self.now  // the very same moment
        #expect(try list.caller(of: "one", at: end.addingTimeInterval(-1)).user == "alice")
        #expect(throws: AuthenticationRefusal.expired) { try list.caller(of: "one", at: end) }
    }

    @Test(
        "A problem is reported with its line",
        arguments: [
            ("secret-token alice a member", "tokens:2: it must begin with sha256:"),
            ("sha256:12 alice a member", "tokens:2: it must begin with sha256:"),
            ("DIGEST alice a", "tokens:2: a line must be sha256:DIGEST USER PROJECT ROLES"),
            ("DIGEST alice a member 2027-01-15T08:00:00Z more", "tokens:2: a line must be sha256:DIGEST USER PROJECT ROLES"),
            ("DIGEST alice a king", "tokens:2: \"king\" is not a role; the roles are reader, member, trusted, service, admin"),
            ("DIGEST alice a member tomorrow", "tokens:2: EXPIRES must be a time in UTC, such as 2027-01-31T12:00:00Z"),
            ("DIGEST alice a member 2027-13-15T08:00:00Z", "tokens:2: EXPIRES must be a time in UTC"),
            ("DIGEST alice a member\nDIGEST bob b reader", "tokens:3: this token is already in line 2"),
        ])
    func aProblemIsReportedWithItsLine(text: String, expected: String) {
        let digest = TokenDigest(of: "one").description
        let error = #expect(throws: TokenFileError.self) {
            try Self.list("# first\n" + text.replacingOccurrences(of: "DIGEST", with: digest))
        }
        #expect(error?.description.contains(expected) == true, "\(String(describing: error))")
        #expect(error?.problems.count == 1)
        #expect(error?.description.contains("secret-token") == false)
        #expect(error?.description.contains(digest.dropFirst(7)) == false)
    }

    @Test("A file without tokens is an error")
    func aFileWithoutTokensIsAnError() {
        let error = #expect(throws: TokenFileError.self) { try Self.list("# nobody\n") }
        #expect(error?.description == "tokens: it has no tokens; `baton token` creates one and prints its line")
    }
}

@Suite struct TokenFileTests {
    /// A file and a clock that only the test moves.
    final class Fixture: Sendable {
        let path = NSTemporaryDirectory() + "baton-tokens-\(UUID().uuidString)"
        private let time = Mutex(Date(timeIntervalSince1970: 1_800_000_000))

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func write(_ text: String) throws { try Data(text.utf8).write(to: URL(filePath: path), options: .atomic) }

        func pass(_ seconds: Double) { time.withLock { $0 += seconds } }

        func open() throws -> TokenFile {
            try TokenFile(path: path, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) { [self] in
                time.withLock { $0 }
            }
        }
    }

    @Test("A changed file is read again within a second")
    func aChangedFileIsReadAgainWithinASecond() async throws {
        let fixture = Fixture()
        try fixture.write(TokenListTests.line("one", "alice a member"))
        let file = try fixture.open()
        #expect(try await file.caller(of: "one").user == "alice")
        try fixture.write(TokenListTests.line("two", "bob b reader"))
        fixture.pass(1)
        #expect(try await file.caller(of: "two").user == "bob")
        await #expect(throws: AuthenticationRefusal.unknown) { try await file.caller(of: "one") }
    }

    @Test("The file is checked at most once a second")
    func theFileIsCheckedAtMostOnceASecond() async throws {
        let fixture = Fixture()
        try fixture.write(TokenListTests.line("one", "alice a member"))
        let file = try fixture.open()
        try fixture.write(TokenListTests.line("two", "bob b reader"))
        fixture.pass(0.9)
        #expect(try await file.caller(of: "one").user == "alice")
        fixture.pass(0.1)
        #expect(try await file.caller(of: "two").user == "bob")
    }

    @Test("A broken or missing file leaves the known tokens in force", arguments: ["nonsense\n", "", nil])
    func aBrokenOrMissingFileChangesNothing(text: String?) async throws {
        let fixture = Fixture()
        try fixture.write(TokenListTests.line("one", "alice a member"))
        let file = try fixture.open()
        if let text { try fixture.write(text) } else { try FileManager.default.removeItem(atPath: fixture.path) }
        fixture.pass(2)
        #expect(try await file.caller(of: "one").user == "alice")
        try fixture.write(TokenListTests.line("two", "bob b reader"))
        fixture.pass(2)
        #expect(try await file.caller(of: "two").user == "bob", "a corrected file was not read")
    }

    @Test("A request without a token is refused as missing one")
    func aRequestWithoutATokenIsRefused() async throws {
        let fixture = Fixture()
        try fixture.write(TokenListTests.line("one", "alice a member"))
        let file = try fixture.open()
        for token in [nil, ""] {
            await #expect(throws: AuthenticationRefusal.missing) { try await file.caller(of: token) }
        }
    }

    @Test("A missing token file is reported")
    func aMissingTokenFileIsReported() {
        let error = #expect(throws: TokenFileError.self) { try TokenFile.read("/nowhere/tokens") }
        #expect(error?.description.hasPrefix("/nowhere/tokens: can't be read") == true)
    }
}
