package import FoundationEssentials
import Logging
package import NetworkAddress

/// Lets in who has a token that Keystone knows (`auth.mode: keystone`).
///
/// An answer stands for a while and is then asked for again. When Keystone does not answer, whoever is known stays so until their token
/// expires, and nobody else gets in.
package actor KeystoneAuthenticator: Authenticator {
    /// Told to a refused client, as keystonemiddleware does.
    package nonisolated let challenge: String

    private typealias Outcome = Result<Caller, AuthenticationRefusal>

    /// The most tokens that are remembered.
    private static let capacity = 10_000
    /// The most questions under way at a time: whoever floods with guesses must not flood Keystone.
    private static let questionLimit = 64
    /// How many of them may be about new tokens from one address: a slow Keystone must have time for others.
    private static let questionsPerClient = 32
    /// How long a refusal stands.
    private static let refusalLifetime: TimeInterval = 5
    /// No token of Keystone is as long: Fernet's have some 250 bytes, JWS some 1,000.
    private static let longestToken = 4096

    private let service: KeystoneService
    private let now: @Sendable () -> Date
    private var cache: AuthenticationCache
    private var guesses: GuessLimit
    private var asking: [IPAddress: Int] = [:]
    private var questions: [TokenDigest: Task<Outcome, Never>] = [:]

    /// - Parameters:
    ///   - service: who asks Keystone.
    ///   - cache: how long an answer stands.
    ///   - guesses: how many unknown tokens one client address may send a minute; 0 for any number.
    ///   - now: the time, for tests.
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

    /// Who has the token.
    package func caller(of token: String?, from client: IPAddress?) async throws(AuthenticationRefusal) -> Caller {
        guard let token, !token.isEmpty else { throw .missing }
        // It becomes a header field of our question: nothing that could end that field.
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

    /// Asks about a token that may be a guess. While questions of an address are under way they count as guesses.
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

    /// Asks once, however many requests with that token wait for the answer.
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
