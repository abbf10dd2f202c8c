import Access
import Foundation
import NetworkAddress
import Testing
import Waiting

@testable import Keystone

/// Clients that guess tokens must not keep other clients out.
@Suite(.timeLimit(.minutes(5))) struct GuessTests {
    private let start = Date(timeIntervalSince1970: 1_800_000_000)
    private let keystone = ScriptedKeystone()

    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    /// Keystone knows the tokens that begin with "good", and breaks off at those that begin with "bad".
    private func script() {
        keystone.reply { request in
            let token = request["x-subject-token"] ?? ""
            if token.hasPrefix("bad") { return .unreachable }
            return token.hasPrefix("good") ? .status(200, body: ScriptedKeystone.description()) : .status(404)
        }
    }

    @Test("Failed requests to Keystone pause nothing while others succeed")
    func oneFailureIsNoOutage() async throws {
        script()
        let authenticator = keystone.authenticator()
        for round in 0..<20 {
            for guess in 0..<2 { _ = try? await authenticator.caller(of: "bad\(round).\(guess)") }
            _ = try await authenticator.caller(of: "good\(round)")
        }
        #expect(keystone.requests.count == 60)
    }

    @Test("Three failed requests to Keystone in a row pause it until one succeeds")
    func severalFailuresAreAnOutage() async throws {
        script()
        let authenticator = keystone.authenticator()
        for guess in 0..<3 { _ = try? await authenticator.caller(of: "bad\(guess)") }
        let unavailable = AuthenticationRefusal.unavailable(retryAfter: .seconds(2))
        await #expect(throws: unavailable) { try await authenticator.caller(of: "good1") }
        keystone.pass(2)
        _ = try? await authenticator.caller(of: "bad9")
        await #expect(throws: unavailable) { try await authenticator.caller(of: "good1") }
        keystone.pass(2)
        _ = try await authenticator.caller(of: "good1")
        _ = try? await authenticator.caller(of: "bad10")
        _ = try await authenticator.caller(of: "good2")
    }

    @Test("An address that guessed too often is refused; known tokens and other addresses are not")
    func guessesAreLimitedByAddress() async throws {
        script()
        let authenticator = keystone.authenticator(guesses: 3)
        let (guesser, other) = (try address("192.0.2.1"), try address("192.0.2.2"))
        _ = try await authenticator.caller(of: "good1", from: guesser)
        for guess in 0..<3 {
            await #expect(throws: AuthenticationRefusal.unknown) {
                try await authenticator.caller(of: "no\(guess)", from: guesser)
            }
        }
        let count = keystone.requests.count
        let refused = await #expect(throws: AuthenticationRefusal.self) {
            try await authenticator.caller(of: "good2", from: guesser)
        }
        #expect(refused == .tooManyGuesses(retryAfter: .seconds(20)))
        #expect(keystone.requests.count == count)
        _ = try await authenticator.caller(of: "good1", from: guesser)
        _ = try await authenticator.caller(of: "good2", from: other)
        keystone.pass(20)
        _ = try await authenticator.caller(of: "good3", from: guesser)
    }

    @Test("Valid tokens and an outage do not count as guesses")
    func goodTokensAreNoGuesses() async throws {
        script()
        let authenticator = keystone.authenticator(guesses: 2)
        let client = try address("2001:db8::1")
        for number in 0..<50 { _ = try await authenticator.caller(of: "good\(number)", from: client) }
        for number in 0..<2 { _ = try? await authenticator.caller(of: "bad\(number)", from: client) }
        _ = try await authenticator.caller(of: "good", from: client)
    }

    @Test("One address cannot use all concurrent requests to Keystone")
    func oneAddressDoesNotTakeAllQuestions() async throws {
        script()
        keystone.hold()
        let authenticator = keystone.authenticator()
        let (guesser, other) = (try address("192.0.2.1"), try address("192.0.2.2"))
        let keystone = keystone
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<60 {
                group.addTask {
                    do {
                        _ = try await authenticator.caller(of: "no\(number)", from: guesser)
                        return false
                    } catch {
                        return (error as? AuthenticationRefusal) == .tooManyGuesses(retryAfter: .zero)
                    }
                }
            }
            for _ in 0..<28 { #expect(try await group.next() == true) }
            group.addTask { try await authenticator.caller(of: "good", from: other).user == "u1" }
            try await eventually("the question of the other address") {
                keystone.requests.contains { $0["x-subject-token"] == "good" }
            }
            keystone.release()
            try await group.waitForAll()
        }
        #expect(keystone.requests.count == 33)
    }

    @Test("A guess limit refills evenly, counts an IPv6 network of 64 bits once, and has bounded memory")
    func guessLimit() throws {
        var limit = GuessLimit(perMinute: 6)
        let client = try address("2001:db8::1")
        for _ in 0..<6 { #expect(limit.take(from: client, at: start) == nil) }
        #expect(limit.take(from: try address("2001:db8::ffff:2"), at: start) == .seconds(10))
        #expect(limit.take(from: try address("2001:db8:0:1::1"), at: start) == nil)
        #expect(limit.take(from: client, at: start - 100) == .seconds(10), "a clock that is set back gives nothing")
        #expect(limit.take(from: client, at: start + 10) == nil)
        #expect(limit.take(from: client, at: start + 10) != nil)
        for number in 0..<25_000 {
            _ = limit.take(from: try address("10.\(number / 65_536).\(number / 256 % 256).\(number % 256)"), at: start + 11)
        }
        #expect(limit.count <= 10_000)
        #expect(limit.take(from: client, at: start + 11) != nil, "a flood evicted an address that had guessed")
        var unlimited = GuessLimit(perMinute: 0)
        for _ in 0..<1000 { #expect(unlimited.take(from: client, at: start) == nil) }
    }
}
