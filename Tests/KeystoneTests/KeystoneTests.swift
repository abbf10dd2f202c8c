import Access
import CurlTransfer
import Foundation
import Logging
import Synchronization
import Testing
import Waiting

@testable import Keystone

/// A Keystone whose answers the test sets, and a clock that only the test moves.
final class ScriptedKeystone: KeystoneTransport {
    enum Reply {
        case status(Int, body: String = "{}", token: String? = nil)
        case unreachable
    }

    private struct State {
        var time = Date(timeIntervalSince1970: 1_800_000_000)
        var requests: [[String: String]] = []
        var reply: @Sendable ([String: String]) -> Reply = { _ in .unreachable }
        var isHeld = false
    }

    private let state = Mutex(State())

    var now: Date { state.withLock { $0.time } }
    func pass(_ seconds: Double) { state.withLock { $0.time += seconds } }
    /// The header fields of every request, in lower case; `method` and `body` beside them.
    var requests: [[String: String]] { state.withLock { $0.requests } }
    func reply(_ reply: @escaping @Sendable ([String: String]) -> Reply) { state.withLock { $0.reply = reply } }

    /// Accepts requests and answers none until `release`.
    func hold() { state.withLock { $0.isHeld = true } }
    func release() { state.withLock { $0.isHeld = false } }

    func send(_ request: TransferRequest) async throws(TransferError) -> Exchange.Answer {
        var fields: [String: String] = [:]
        for (name, value) in request.headers { fields[name.lowercased()] = value }
        switch request.method {
        case .send(let method, let body): (fields["method"], fields["body"]) = (method, String(decoding: body, as: UTF8.self))
        case .get: fields["method"] = "GET"
        case .head: fields["method"] = "HEAD"
        }
        if case .url(let url) = request.source { fields["url"] = url }
        let (sent, reply) = state.withLock { state in
            state.requests.append(fields)
            return (fields, state.reply)
        }
        try? await eventually("the test to let answers go out") { state.withLock { !$0.isHeld } }
        switch reply(sent) {
        case .unreachable: throw TransferError(.connect, message: "nobody there")
        case .status(let status, let body, let token):
            let head = token.map { [(name: "x-subject-token", value: $0)] } ?? []
            return Exchange.Answer(head: ResponseHead(status: status, fields: head), body: Array(body.utf8))
        }
    }

    static func description(
        user: String = "u1", project: String? = "p1", roles: [String] = ["member", "reader"],
        expires: String = "2027-01-15T09:00:00.000000Z"
    ) -> String {
        let project = project.map { #","project":{"id":"\#($0)","name":"x"}"# } ?? ""
        let roles = roles.map { #"{"id":"r","name":"\#($0)"}"# }.joined(separator: ",")
        return #"{"token":{"user":{"id":"\#(user)","name":"n"},"roles":[\#(roles)],"expires_at":"\#(expires)"\#(project)}}"#
    }

    func authenticator(
        credentials: KeystoneSettings.Credentials = .callersOwn, cache: Duration = .seconds(300), guesses: Int = 60
    ) -> KeystoneAuthenticator {
        let settings = KeystoneSettings(
            url: "http://id/v3/", credentials: credentials, timeout: .seconds(1), authorities: nil, trustedRole: "Courier")
        let service = KeystoneService(
            settings, transport: self, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ) { self.now }
        return KeystoneAuthenticator(service, cache: cache, guesses: guesses) { self.now }
    }
}

@Suite struct KeystoneTests {
    static let password = KeystoneSettings.Credentials.password(
        user: "baton", userDomain: "Default", password: "hush", project: "service", projectDomain: "Default")

    @Test("A token gives its user, project and roles")
    func aTokenGivesItsUserProjectAndRoles() async throws {
        let keystone = ScriptedKeystone()
        keystone.reply { _ in .status(200, body: ScriptedKeystone.description(roles: ["Member", "courier", "other"])) }
        let caller = try await keystone.authenticator().caller(of: "t")
        #expect(caller == Caller(user: "u1", project: "p1", roles: [.member, .trusted]))
        #expect(keystone.requests.first?["url"] == "http://id/v3/auth/tokens?nocatalog")
        #expect(keystone.requests.first?["x-auth-token"] == "t" && keystone.requests.first?["x-subject-token"] == "t")
    }

    @Test("A token without a project gives no role")
    func aTokenWithoutAProjectGivesNoRole() async throws {
        let keystone = ScriptedKeystone()
        keystone.reply { _ in .status(200, body: ScriptedKeystone.description(project: nil, roles: ["admin"])) }
        #expect(try await keystone.authenticator().caller(of: "t").roles.isEmpty)
    }

    @Test("A validation is cached for its lifetime and then repeated")
    func aValidationIsCachedForItsLifetime() async throws {
        let keystone = ScriptedKeystone()
        keystone.reply { _ in .status(200, body: ScriptedKeystone.description()) }
        let authenticator = keystone.authenticator()
        for _ in 0..<3 { _ = try await authenticator.caller(of: "t") }
        keystone.pass(299)
        _ = try await authenticator.caller(of: "t")
        #expect(keystone.requests.count == 1)
        keystone.pass(1)
        _ = try await authenticator.caller(of: "t")
        #expect(keystone.requests.count == 2)
    }

    @Test("A revoked token works no longer than the cache's lifetime")
    func aRevokedTokenWorksNoLongerThanTheCache() async throws {
        let keystone = ScriptedKeystone()
        keystone.reply { _ in .status(200, body: ScriptedKeystone.description()) }
        let authenticator = keystone.authenticator()
        _ = try await authenticator.caller(of: "t")
        keystone.reply { _ in .status(404) }
        keystone.pass(300)
        await #expect(throws: AuthenticationRefusal.unknown) { try await authenticator.caller(of: "t") }
    }

    @Test("A token ends when it expires, even while its validation is cached")
    func aTokenEndsWhenItExpiresEvenIfCached() async throws {
        let keystone = ScriptedKeystone()
        keystone.reply { _ in .status(200, body: ScriptedKeystone.description(expires: "2027-01-15T08:00:10.5Z")) }
        let authenticator = keystone.authenticator()
        keystone.pass(9)
        _ = try await authenticator.caller(of: "t")
        keystone.pass(1)
        await #expect(throws: AuthenticationRefusal.expired) { try await authenticator.caller(of: "t") }
        #expect(keystone.requests.count == 1)
    }

    @Test("In an outage known tokens work until they expire, and unknown tokens must wait")
    func inAnOutageKnownTokensWorkUntilTheyExpire() async throws {
        let keystone = ScriptedKeystone()
        keystone.reply { _ in .status(200, body: ScriptedKeystone.description()) }
        let authenticator = keystone.authenticator()
        let known = try await authenticator.caller(of: "t")
        keystone.reply { _ in .unreachable }
        keystone.pass(301)
        #expect(try await authenticator.caller(of: "t") == known)
        let unavailable = AuthenticationRefusal.unavailable(retryAfter: .seconds(2))
        await #expect(throws: unavailable) { try await authenticator.caller(of: "stranger") }
        keystone.pass(3298)
        #expect(try await authenticator.caller(of: "t") == known)
        keystone.pass(1)
        await #expect(throws: AuthenticationRefusal.expired) { try await authenticator.caller(of: "t") }
    }

    @Test("In an outage not every request waits for the timeout")
    func inAnOutageNotEveryRequestWaitsForTheTimeout() async throws {
        let keystone = ScriptedKeystone()
        let authenticator = keystone.authenticator()
        for token in ["a", "b", "c", "d", "e"] { _ = try? await authenticator.caller(of: token) }
        #expect(keystone.requests.count == 3)
        keystone.pass(2)
        keystone.reply { _ in .status(200, body: ScriptedKeystone.description()) }
        _ = try await authenticator.caller(of: "a")
    }

    @Test("An unusable answer from Keystone admits no caller", arguments: [500, 503, 429, 300, 200])
    func anUnusableAnswerAdmitsNoCaller(status: Int) async throws {
        let keystone = ScriptedKeystone()
        keystone.reply { _ in .status(status, body: "<html>") }
        let unavailable = AuthenticationRefusal.unavailable(retryAfter: .seconds(2))
        await #expect(throws: unavailable) { try await keystone.authenticator().caller(of: "t") }
    }

    @Test(
        "A token that Keystone rejects is unknown and not validated again at once",
        arguments: [400, 401, 403, 404, 413, 414, 431])
    func aRejectedTokenIsNotValidatedAgainAtOnce(status: Int) async throws {
        let keystone = ScriptedKeystone()
        keystone.reply { _ in .status(status) }
        let authenticator = keystone.authenticator()
        for _ in 0..<3 {
            await #expect(throws: AuthenticationRefusal.unknown) { try await authenticator.caller(of: "t") }
        }
        #expect(keystone.requests.count == 1)
        keystone.pass(5)
        keystone.reply { _ in .status(200, body: ScriptedKeystone.description()) }
        _ = try await authenticator.caller(of: "t")
    }

    @Test("Many requests with one token share one validation")
    func manyRequestsWithOneTokenShareOneValidation() async throws {
        let keystone = ScriptedKeystone()
        keystone.reply { _ in .status(200, body: ScriptedKeystone.description()) }
        keystone.hold()
        let authenticator = keystone.authenticator()
        let callers = try await withThrowingTaskGroup(of: Caller.self) { group in
            for _ in 0..<20 { group.addTask { try await authenticator.caller(of: "t") } }
            try await eventually("a question to Keystone") { !keystone.requests.isEmpty }
            for _ in 0..<1000 { await Task.yield() }
            keystone.release()
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(callers.count == 20)
        #expect(keystone.requests.count == 1)
    }

    @Test(
        "Text that cannot be a token is not sent to Keystone",
        arguments: ["a b", "a\r\nX-Subject-Token: other", "ä", String(repeating: "x", count: 4097)])
    func textThatCannotBeATokenIsNotSentToKeystone(token: String) async throws {
        let keystone = ScriptedKeystone()
        await #expect(throws: AuthenticationRefusal.unknown) { try await keystone.authenticator().caller(of: token) }
        #expect(keystone.requests.isEmpty)
    }

    @Test("The service validates with its own token and renews it")
    func theServiceValidatesWithItsOwnTokenAndRenewsIt() async throws {
        let keystone = ScriptedKeystone()
        keystone.reply { request in
            if request["method"] == "POST" { return .status(201, body: ScriptedKeystone.description(), token: "own") }
            return request["x-auth-token"] == "own" ? .status(200, body: ScriptedKeystone.description()) : .status(401)
        }
        let authenticator = keystone.authenticator(credentials: Self.password)
        _ = try await authenticator.caller(of: "t")
        _ = try await authenticator.caller(of: "u")
        #expect(keystone.requests.map { $0["method"] } == ["POST", "GET", "GET"])
        let body = keystone.requests.first?["body"] ?? ""
        #expect(body.contains(#""password":"hush""#) && body.contains(#""name":"service""#))
        #expect(keystone.requests.first?["x-auth-token"] == nil)
        // Keystone forgets it.
        keystone.reply { request in
            if request["method"] == "POST" { return .status(201, body: ScriptedKeystone.description(), token: "new") }
            return request["x-auth-token"] == "new" ? .status(200, body: ScriptedKeystone.description()) : .status(401)
        }
        _ = try await authenticator.caller(of: "v")
        #expect(keystone.requests.map { $0["method"] } == ["POST", "GET", "GET", "GET", "POST", "GET"])
    }

    @Test("A service that may not validate tokens admits no caller and rejects no token")
    func aServiceThatMayNotValidateAdmitsNoCaller() async throws {
        let unavailable = AuthenticationRefusal.unavailable(retryAfter: .seconds(2))
        for status in [401, 403] {
            let keystone = ScriptedKeystone()
            keystone.reply { request in
                request["method"] == "POST"
                    ? .status(201, body: ScriptedKeystone.description(), token: "own") : .status(status)
            }
            let authenticator = keystone.authenticator(credentials: Self.password)
            await #expect(throws: unavailable) { try await authenticator.caller(of: "t") }
            #expect(keystone.requests.count <= 4)
        }
        let keystone = ScriptedKeystone()
        keystone.reply { _ in .status(401) }
        let authenticator = keystone.authenticator(
            credentials: .applicationCredential(id: "a1", secret: "hush"))
        await #expect(throws: unavailable) { try await authenticator.caller(of: "t") }
        #expect(keystone.requests.first?["body"]?.contains("application_credential") == true)
        #expect(keystone.requests.first?["body"]?.contains("scope") == false, "its project is part of it")
    }
}

@Suite struct AuthenticationCacheTests {
    static let start = Date(timeIntervalSince1970: 1_800_000_000)
    static let caller = Caller(user: "u", project: nil, roles: [])

    @Test("The cache holds no more than its capacity")
    func theCacheHoldsNoMoreThanItsCapacity() {
        var cache = AuthenticationCache(capacity: 8, lifetime: 300, refusalLifetime: 5)
        for number in 0..<100 {
            let now = Self.start.addingTimeInterval(Double(number) / 100)
            cache.admit(TokenDigest(of: "a\(number)"), as: Self.caller, until: Self.start + 1000, at: now)
            cache.refuse(TokenDigest(of: "r\(number)"), at: now)
            #expect(cache.decision(on: TokenDigest(of: "a\(number)"), at: now) == .known(Self.caller))
            #expect(cache.decision(on: TokenDigest(of: "r\(number)"), at: now) == .refused)
            #expect(cache.count <= 16)
        }
    }

    @Test("A flood of refusals evicts no admitted caller")
    func aFloodOfRefusalsEvictsNoAdmittedCaller() {
        var cache = AuthenticationCache(capacity: 8, lifetime: 300, refusalLifetime: 5)
        cache.admit(TokenDigest(of: "a"), as: Self.caller, until: Self.start + 1000, at: Self.start)
        for number in 0..<100 { cache.refuse(TokenDigest(of: "r\(number)"), at: Self.start) }
        #expect(cache.decision(on: TokenDigest(of: "a"), at: Self.start) == .known(Self.caller))
    }

    @Test("A clock that is set back makes a cached answer stale")
    func aClockThatIsSetBackMakesAnAnswerStale() {
        var cache = AuthenticationCache(capacity: 8, lifetime: 300, refusalLifetime: 5)
        cache.admit(TokenDigest(of: "a"), as: Self.caller, until: Self.start + 1000, at: Self.start)
        #expect(cache.decision(on: TokenDigest(of: "a"), at: Self.start - 1) == .stale(Self.caller))
    }
}
