package import Access
package import FoundationEssentials
import Logging
package import NetworkAddress

/// Admits callers with a token that Keystone validates (`auth.mode: keystone`).
///
/// A validation is cached for a while and then repeated. While Keystone does not respond, cached callers remain valid until
/// their tokens expire, and other tokens are refused.
package actor KeystoneAuthenticator: Authenticator {
    /// The challenge for a refused client, as keystonemiddleware sends it.
    package nonisolated let challenge: String

    private typealias Outcome = Result<Caller, AuthenticationRefusal>

    /// The largest number of cached tokens.
    private static let capacity = 10_000
    /// The largest number of concurrent validations, so that a flood of guesses does not flood Keystone.
    private static let questionLimit = 64
    /// The largest number of concurrent validations of new tokens from one address, so that a slow Keystone remains available
    /// for others.
    private static let questionsPerClient = 32
    /// How long a refusal is cached, in seconds.
    private static let refusalLifetime: TimeInterval = 5
    /// An upper bound of the length of tokens in bytes: Fernet tokens have some 250 bytes, JWS tokens some 1,000.
    private static let longestToken = 4096

    private let service: KeystoneService
    private let now: @Sendable () -> Date
    private var cache: AuthenticationCache
    private var guesses: GuessLimit
    private var asking: [IPAddress: Int] = [:]
    private var questions: [TokenDigest: Task<Outcome, Never>] = [:]

    /// - Parameters:
    ///   - service: the client of Keystone.
    ///   - cache: how long a validation is cached.
    ///   - guesses: the number of unknown tokens that one client address may send per minute; 0 for no limit.
    ///   - now: the clock, for tests.
    package init(
        _ service: KeystoneService, cache: Duration, guesses: Int = 60, now: @escaping @Sendable () -> Date = { .now }
    ) {
        self.guesses = GuessLimit(perMinute: guesses)
        self.service = service
        self.now = now
        self.cache = AuthenticationCache(
            capacity: Self.capacity, lifetime: cache / .seconds(1), refusalLifetime: Self.refusalLifetime)
        challenge = "Keystone uri=\"\(service.url)\""
    }

    package func caller(of token: String?, from client: IPAddress?) async throws(AuthenticationRefusal) -> Caller {
        guard let token, !token.isEmpty else { throw .missing }
        // The token becomes a header field of the validation request, so it must not contain characters that end the field.
        guard token.utf8.count <= Self.longestToken, token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { throw .unknown }
        let digest = TokenDigest(of: token)
        switch cache.decision(on: digest, at: now()) {
        case .known(let caller): return caller
        case .refused: throw .unknown
        case .expired: throw .expired
        case .absent: return try await ask(aboutNew: token, digest, from: client)
        case .stale: break
        }
        do {
            return try await ask(about: token, digest).get()
        } catch .unavailable(let retryAfter) {
            switch cache.decision(on: digest, at: now()) {
            case .known(let caller), .stale(let caller): return caller
            case .expired: throw .expired
            case .refused: throw .unknown
            case .absent: throw .unavailable(retryAfter: retryAfter)
            }
        }
    }

    /// Validates a token that may be a guess. Running validations of an address count as guesses.
    private func ask(
        aboutNew token: String, _ digest: TokenDigest, from client: IPAddress?
    ) async throws(AuthenticationRefusal) -> Caller {
        guard let client else { return try await ask(about: token, digest).get() }
        let subscriber = client.subscriber
        guard asking[subscriber] ?? 0 < Self.questionsPerClient else { throw .tooManyGuesses(retryAfter: .zero) }
        if let wait = guesses.take(from: client, at: now()) { throw .tooManyGuesses(retryAfter: wait) }
        asking[subscriber, default: 0] += 1
        defer {
            let left = (asking[subscriber] ?? 0) - 1
            asking[subscriber] = left > 0 ? left : nil
        }
        let outcome = await ask(about: token, digest)
        if outcome != .failure(.unknown) { guesses.giveBack(to: client) }
        return try outcome.get()
    }

    /// Validates a token once for all requests that wait for the result.
    private func ask(about token: String, _ digest: TokenDigest) async -> Outcome {
        if let question = questions[digest] { return await question.value }
        guard questions.count < Self.questionLimit else { return .failure(.unavailable(retryAfter: .seconds(1))) }
        let question = Task { await self.settle(token, digest) }
        questions[digest] = question
        return await question.value
    }

    private func settle(_ token: String, _ digest: TokenDigest) async -> Outcome {
        let outcome: Outcome
        do throws(AuthenticationRefusal) {
            let known = try await service.validate(token)
            let time = now()
            if known.expires > time {
                cache.admit(digest, as: known.caller, until: known.expires, at: time)
                outcome = .success(known.caller)
            } else {
                outcome = .failure(.expired)
            }
        } catch {
            if error == .unknown { cache.refuse(digest, at: now()) }
            outcome = .failure(error)
        }
        questions[digest] = nil
        return outcome
    }
}
