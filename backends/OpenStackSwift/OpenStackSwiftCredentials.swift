package import BackendKit
package import CurlTransfer
import Synchronization

/// The token of one account: fetched when somebody needs it, renewed ahead of its end and when it is refused.
package final class OpenStackSwiftCredentials: RenewableCredentials {
    /// Sends a request and waits for the whole answer, whatever its status.
    package typealias Send = @Sendable (TransferRequest) async throws(TransferError) -> Exchange.Answer

    private typealias Outcome = Result<Void, AttemptFailure>

    private struct State {
        var session: OpenStackSwiftSession?
        /// From when on a new one is fetched first.
        var isDue: ContinuousClock.Instant?
        var generation = 0
        var fetch: Task<Outcome, Never>?
        /// The failure of the last fetch, and the time until which it is not repeated.
        var trouble: (failure: AttemptFailure, until: ContinuousClock.Instant)?
    }

    /// How long a failure is cached: some servers lock out clients that repeat a wrong key.
    static let pause = Duration.seconds(2)
    /// How long before its expiry a token is renewed, or a tenth of its lifetime if that is less.
    static let margin = Duration.seconds(60)

    private let login: any OpenStackSwiftLogin
    private let send: Send
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state = Mutex(State())

    /// - Parameter now: the clock, for tests.
    package init(
        _ login: any OpenStackSwiftLogin, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        send: @escaping Send
    ) {
        self.login = login
        self.now = now
        self.send = send
    }

    package var generation: Int { state.withLock { $0.generation } }

    /// Whether there is a token that is not about to expire.
    package var areReady: Bool {
        let time = now()
        return state.withLock { $0.session != nil && $0.isDue.map { time < $0 } != false }
    }

    /// The last one fetched, be it old; nil before the first.
    var session: OpenStackSwiftSession? { state.withLock { $0.session } }

    /// Logs in, unless a newer session exists. Concurrent callers share one log-in.
    package func renew(beyond generation: Int) async throws(AttemptFailure) {
        let time = now()
        let pending: Result<Task<Outcome, Never>?, AttemptFailure> = state.withLock { state in
            if state.generation > generation { return .success(nil) }
            if let fetch = state.fetch { return .success(fetch) }
            if let trouble = state.trouble, time < trouble.until { return .failure(trouble.failure) }
            let fetch = Task { await self.fetch() }
            state.fetch = fetch
            return .success(fetch)
        }
        try await pending.get()?.value.get()
    }

    private func fetch() async -> Outcome {
        let outcome: Result<OpenStackSwiftSession, AttemptFailure>
        do throws(AttemptFailure) {
            outcome = .success(try login.session(from: try await answer()))
        } catch {
            outcome = .failure(error)
        }
        let time = now()
        state.withLock { state in
            state.fetch = nil
            switch outcome {
            case .success(let session):
                state.session = session
                state.isDue = session.lifetime.map { time + $0 - min(Self.margin, $0 / 10) }
                state.generation += 1
                state.trouble = nil
            case .failure(let failure): state.trouble = (failure, until: time + Self.pause)
            }
        }
        return outcome.map { _ in }
    }

    private func answer() async throws(AttemptFailure) -> Exchange.Answer {
        do {
            return try await send(login.request)
        } catch {
            let failure = AttemptFailure.classify(error)
            throw AttemptFailure(
                failure.reason, failure.failureClass == .local ? .local : .backend, detail: "the log-in: \(failure.detail)")
        }
    }
}

/// A way to log in: what to ask, and what the answer means. Values; the asking is done by `OpenStackSwiftCredentials`.
package protocol OpenStackSwiftLogin: Sendable, Undisclosed {
    /// What to send. It holds the password.
    var request: TransferRequest { get }

    /// What an answer gives.
    /// - Throws: `AttemptFailure`: of class `credentials` when what was shown is refused, else `backend`.
    func session(from answer: Exchange.Answer) throws(AttemptFailure) -> OpenStackSwiftSession
}

extension OpenStackSwiftLogin {
    /// What an answer means that is not the one hoped for.
    /// - Parameter setting: what to look at in the configuration.
    func refusal(_ head: ResponseHead, setting: String) -> AttemptFailure {
        let detail = "the log-in was answered with status \(head.status)"
        switch head.status {
        case 401, 403:
            return AttemptFailure(.denied, .credentials, detail: "\(detail): user or key are not accepted; look at \(setting)")
        case 429, 498, 500...599:
            return AttemptFailure(.serverError, .backend, retryAfter: RangedAnswer(head).retryAfter, detail: detail)
        default:
            return AttemptFailure(.unexpectedStatus, .backend, detail: "\(detail); look at \(setting)")
        }
    }
}

/// What a log-in gives: where the account is, and a token that opens it for a while.
package struct OpenStackSwiftSession: Sendable, Undisclosed {
    /// The account's URL, which its containers lie below.
    let account: LocationURL
    /// The token, in printable ASCII, so that it can be a header field.
    let token: String
    /// How long the token is valid from the response on; nil if unknown.
    let lifetime: Duration?

    /// - Throws: `AttemptFailure` if the token can't be sent, or would be sent without TLS although it was fetched with TLS.
    init(account: LocationURL, token: String, lifetime: Duration?, fetchedFrom login: String) throws(AttemptFailure) {
        guard (1...16_384).contains(token.utf8.count), token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw AttemptFailure(
                .protocolViolation, .backend, detail: "the log-in was answered with a token that can't be sent")
        }
        guard account.scheme == "https" || !login.lowercased().hasPrefix("https:") else {
            throw AttemptFailure(
                .tls, .backend,
                detail: "the log-in is over https and names a store over http, where the token could be read: set storage_url")
        }
        self.account = account
        self.token = token
        self.lifetime = lifetime
    }

    package var description: String { "\(account) (secret)" }
}
