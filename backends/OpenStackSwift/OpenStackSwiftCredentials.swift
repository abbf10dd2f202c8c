package import BackendKit
package import CurlTransfer
import Synchronization

/// The token of one account. It is fetched on demand, and renewed before it expires and after it is refused.
package final class OpenStackSwiftCredentials: RenewableCredentials {
    /// Sends a request and waits for the complete response, whatever its status.
    package typealias Send = @Sendable (TransferRequest) async throws(TransferError) -> Exchange.Answer

    private typealias Outcome = Result<Void, AttemptFailure>

    private struct State {
        var session: OpenStackSwiftSession?
        /// The time from which the token is renewed before use.
        var isDue: ContinuousClock.Instant?
        var generation = 0
        var fetch: Task<Outcome, Never>?
        /// The failure of the last fetch, and the time until which it is not repeated.
        var lastFailure: (failure: AttemptFailure, until: ContinuousClock.Instant)?
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
    package var isReady: Bool {
        let time = now()
        return state.withLock { $0.session != nil && $0.isDue.map { time < $0 } != false }
    }

    /// The last session, even if it has expired; nil before the first log-in.
    var session: OpenStackSwiftSession? { state.withLock { $0.session } }

    /// Logs in, unless a newer session exists. Concurrent callers share one log-in.
    /// - Throws: `AttemptFailure` of the log-in; for a while after a failure, the same one without another attempt.
    package func renew(beyond generation: Int) async throws(AttemptFailure) {
        let time = now()
        let pending: Result<Task<Outcome, Never>?, AttemptFailure> = state.withLock { state in
            if state.generation > generation { return .success(nil) }
            if let fetch = state.fetch { return .success(fetch) }
            if let last = state.lastFailure, time < last.until { return .failure(last.failure) }
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
                state.lastFailure = nil
            case .failure(let failure): state.lastFailure = (failure, until: time + Self.pause)
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

/// A kind of log-in: its request, and the interpretation of the response. A value; `OpenStackSwiftCredentials` sends the
/// request.
package protocol OpenStackSwiftLogin: Sendable, Undisclosed {
    /// The log-in request. It contains the password and must not be logged.
    var request: TransferRequest { get }

    /// Reads the session from a response.
    /// - Throws: `AttemptFailure`, of class `credentials` if the credentials are refused, else of class `backend`.
    func session(from answer: Exchange.Answer) throws(AttemptFailure) -> OpenStackSwiftSession
}

extension OpenStackSwiftLogin {
    /// The failure for a response other than a success.
    /// - Parameter setting: the setting to check in the configuration.
    func refusal(_ head: ResponseHead, setting: String) -> AttemptFailure {
        let detail = "the log-in was answered with status \(head.status)"
        switch head.status {
        case 401, 403:
            return AttemptFailure(.denied, .credentials, detail: "\(detail): the user or key is not accepted; check \(setting)")
        case 429, 498, 500...599:
            return AttemptFailure(.serverError, .backend, retryAfter: RangedAnswer(head).retryAfter, detail: detail)
        default:
            return AttemptFailure(.unexpectedStatus, .backend, detail: "\(detail); check \(setting)")
        }
    }
}

/// The result of a log-in: the account's URL and a token for it.
package struct OpenStackSwiftSession: Sendable, Undisclosed {
    /// The account's URL, without a container.
    let account: LocationURL
    /// The token. It consists of printable ASCII, because it becomes a header field.
    let token: String
    /// How long the token is valid after the response; nil if unknown.
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
                detail: "the log-in over https returned a store URL over http, which would expose the token: set storage_url")
        }
        self.account = account
        self.token = token
        self.lifetime = lifetime
    }

    package var description: String { "\(account) (secret)" }
}
