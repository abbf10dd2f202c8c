import Access
package import CurlTransfer
package import FoundationEssentials
package import Logging

/// A client of Keystone. It uses a token of its own if it has credentials, and logs failures.
package actor KeystoneService {
    package nonisolated let url: String

    private struct Authority {
        let token: String
        let expires: Date
    }

    /// The pause in seconds after repeated failures, each of which would take the whole timeout.
    private static let pause: TimeInterval = 2
    /// The number of consecutive failures before a pause: a single one may be caused by its token.
    private static let failuresBeforePause = 3
    /// How many seconds before its expiry the service's own token is renewed.
    private static let margin: TimeInterval = 30

    private let requests: KeystoneRequests
    private let transport: any KeystoneTransport
    private let logger: Logger
    private let now: @Sendable () -> Date
    private var authority: Authority?
    private var login: Task<Result<String, AuthenticationRefusal>, Never>?
    private var pausedSince: Date?
    /// The number of consecutive failures.
    private var failures = 0
    /// Why the last request got no usable answer from Keystone; nil if a later one got one.
    private var problem: String?

    /// - Parameter now: the clock, for tests.
    package init(
        _ settings: KeystoneSettings, transport: any KeystoneTransport, logger: Logger,
        now: @escaping @Sendable () -> Date = { .now }
    ) {
        requests = KeystoneRequests(settings: settings)
        url = settings.url
        self.transport = transport
        self.logger = logger
        self.now = now
    }

    /// Validates a token.
    /// - Throws: `unknown`, or `unavailable` if Keystone does not respond.
    func validate(_ token: String) async throws(AuthenticationRefusal) -> KeystoneToken {
        var mayRenew = true
        while true {
            let authority = try await authorityToken()
            let answer = try await send(requests.validation(of: token, authority: authority ?? token))
            switch answer.head.status {
            case 200:
                guard let known = KeystoneToken(answer.body, trustedRole: requests.settings.trustedRole) else {
                    throw unanswered("its description of a token is malformed")
                }
                answered()
                return known
            // Keystone does not know the token (404), or Keystone or a proxy in front of it can't parse it.
            case 404, 400, 413, 414, 431:
                answered()
                throw .unknown
            case 401 where authority == nil, 403 where authority == nil:
                answered()
                throw .unknown
            case 401 where mayRenew:
                mayRenew = false
                if self.authority?.token == authority { self.authority = nil }
            case 401: throw unanswered("it does not accept the token that it gave Baton")
            case 403: throw unanswered("Baton's user may not validate tokens; give it the role service")
            case let status: throw unanswered("it answered with status \(status)")
            }
        }
    }

    /// The service's own token for a validation; nil to use the caller's.
    private func authorityToken() async throws(AuthenticationRefusal) -> String? {
        guard let request = requests.login() else { return nil }
        if let authority, authority.expires.timeIntervalSince(now()) > Self.margin { return authority.token }
        if let login { return try await login.value.get() }
        let task = Task { await self.logIn(request) }
        login = task
        return try await task.value.get()
    }

    private func logIn(_ request: TransferRequest) async -> Result<String, AuthenticationRefusal> {
        defer { login = nil }
        do throws(AuthenticationRefusal) {
            let answer = try await send(request)
            guard answer.head.status == 201, let token = answer.head["x-subject-token"],
                let expires = KeystoneToken(answer.body, trustedRole: requests.settings.trustedRole)?.expires
            else {
                throw unanswered(
                    answer.head.status == 401
                        ? "it does not accept Baton's user or application credential; check auth.keystone"
                        : "it answered Baton's log-in with status \(answer.head.status)")
            }
            authority = Authority(token: token, expires: expires)
            return .success(token)
        } catch {
            return .failure(error)
        }
    }

    private func send(_ request: TransferRequest) async throws(AuthenticationRefusal) -> Exchange.Answer {
        if let since = pausedSince, (0..<Self.pause).contains(now().timeIntervalSince(since)) { throw Self.unavailable }
        do {
            let answer = try await transport.send(request)
            pausedSince = nil
            failures = 0
            return answer
        } catch {
            failures += 1
            if failures >= Self.failuresBeforePause { pausedSince = now() }
            throw unanswered("it can't be reached (\(error.message))")
        }
    }

    private static let unavailable = AuthenticationRefusal.unavailable(retryAfter: .seconds(2))

    private func unanswered(_ problem: String) -> AuthenticationRefusal {
        if self.problem != problem {
            logger.error(
                "keystone.unavailable: Keystone does not answer. Tokens that were validated stay valid until they expire; other callers get 503.",
                metadata: ["keystone": "\(url)", "reason": "\(problem)"])
        }
        self.problem = problem
        return Self.unavailable
    }

    private func answered() {
        if problem != nil { logger.notice("keystone.available: Keystone answers again.", metadata: ["keystone": "\(url)"]) }
        problem = nil
    }
}

/// Builds requests of Keystone's Identity API v3.
struct KeystoneRequests: Sendable {
    let settings: KeystoneSettings

    /// A request that validates a token.
    /// - Parameter authority: the token of the requester.
    func validation(of token: String, authority: String) -> TransferRequest {
        settings.tokenRequest(
            .get, headers: [("X-Auth-Token", authority), ("X-Subject-Token", token)], withCatalog: false)
    }

    /// The log-in request of this service; nil if it has no credentials.
    func login() -> TransferRequest? { KeystoneLogin(settings)?.request(withCatalog: false) }
}

/// Sends requests to Keystone. A protocol, so that the logic can be tested without a server.
package protocol KeystoneTransport: Sendable {
    /// Sends one request and waits for the complete response, whatever its status.
    func send(_ request: TransferRequest) async throws(TransferError) -> Exchange.Answer
}

/// Sends requests to Keystone on a transfer loop.
package struct LoopTransport: KeystoneTransport {
    /// The largest response in bytes; a token's description has a few KiB.
    private static let limit = 1 << 20

    private let loop: TransferLoop
    private let timeout: Duration

    /// - Parameter timeout: the timeout of one exchange.
    package init(loop: TransferLoop, timeout: Duration) {
        self.loop = loop
        self.timeout = timeout
    }

    package func send(_ request: TransferRequest) async throws(TransferError) -> Exchange.Answer {
        try await Exchange.run(request, on: loop, limit: Self.limit, timeout: timeout)
    }
}
