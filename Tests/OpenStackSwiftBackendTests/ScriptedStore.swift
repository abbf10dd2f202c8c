import BackendKit
import CurlTransfer
import Synchronization
import Waiting

@testable import OpenStackSwiftBackend

/// A log-in whose answers the test sets, and a clock that only the test moves.
final class ScriptedStore: Sendable {
    private struct State {
        var time = ContinuousClock.now
        var requestCount = 0
        var status = 200
        var isReachable = true
        var lifetime: Int? = 3600
        var isHeld = false
    }

    private let state = Mutex(State())
    private let account: String
    let login: TempAuthLogin

    init(account: String = "http://store:8080/v1/AUTH_test") {
        self.account = account
        login = TempAuthLogin(
            url: "http://store:8080/auth/v1.0", user: "test:tester", key: "hush-key", account: nil, timeout: .seconds(1))
    }

    /// Each has a state of its own; a test makes one and keeps it.
    private let made = Mutex<OpenStackSwiftCredentials?>(nil)
    var credentials: OpenStackSwiftCredentials {
        made.withLock { made in
            let credentials =
                made
                ?? OpenStackSwiftCredentials(
                    // Weak: the store keeps them.
                    login, now: { [weak self] in self?.state.withLock { $0.time } ?? .now },
                    send: { [weak self] _ throws(TransferError) in
                        guard let self else { throw TransferError(.connect, message: "the test is over") }
                        return try await answer()
                    })
            made = credentials
            return credentials
        }
    }

    /// The number of log-ins.
    var requestCount: Int { state.withLock { $0.requestCount } }
    func pass(_ time: Duration) { state.withLock { $0.time += time } }
    func answer(with status: Int) { state.withLock { $0.status = status } }
    func setLifetime(_ seconds: Int?) { state.withLock { $0.lifetime = seconds } }
    func cutOff() { state.withLock { $0.isReachable = false } }

    /// Accepts log-ins and answers none until `release`.
    func hold() { state.withLock { $0.isHeld = true } }
    func release() { state.withLock { $0.isHeld = false } }

    private func answer() async throws(TransferError) -> Exchange.Answer {
        state.withLock { $0.requestCount += 1 }
        try? await eventually("the test to let answers go out") { state.withLock { !$0.isHeld } }
        let now = state.withLock { $0 }
        guard now.isReachable else { throw TransferError(.connect, message: "nobody there") }
        var fields = [
            (name: "x-storage-url", value: account), (name: "x-auth-token", value: "hush-token-\(now.requestCount)"),
        ]
        if let lifetime = now.lifetime { fields.append((name: "x-auth-token-expires", value: "\(lifetime)")) }
        return Exchange.Answer(head: ResponseHead(status: now.status, fields: fields), body: [])
    }
}
