import BackendKit
import BatonConfig
import CurlTransfer
import ImageModel
import LocationLifecycle
import RelayEngine

/// Requests a nonexistent object from each backend, and a nonexistent token from Keystone. A server that reports it missing is
/// reachable and accepts the credentials.
struct OnlineCheck: Sendable {
    /// The result for one server.
    struct Answer: Sendable, Encodable {
        /// The conclusion from a response: `ready` if the server works with these credentials, `uncertain` if the response does
        /// not show that, `unusable` if the server can't be reached or refuses the credentials.
        enum Decision: String, Sendable, Encodable {
            case ready, uncertain, unusable
        }

        /// The id of the backend, or `keystone`.
        let backend: String
        let decision: Decision
        let detail: String
    }

    /// A path that names no object.
    private static let path = "baton-check/no-object-has-this-name"

    let backends: [(id: BackendID, probe: ObjectProbe)]
    private let loop: TransferLoop
    private let timeout: Duration
    private let keystone: BatonConfiguration.Keystone?

    init(_ configuration: BatonConfiguration, _ backends: [ConfiguredBackend]) {
        let loop = TransferLoop(name: "check")
        let timeout = configuration.relay.connectTimeout + max(configuration.relay.policy.stallTimeout, .seconds(5))
        self.loop = loop
        self.timeout = timeout
        self.backends = backends.map { backend in
            let registry = BackendRegistry([backend.start(on: loop)])
            return (backend.id, ObjectProbe(registry: registry, loop: loop, timeout: timeout))
        }
        keystone = configuration.auth.mode == .keystone ? configuration.auth.keystone : nil
    }

    /// Checks all servers concurrently.
    /// - Returns: the answers, ordered by `backend`.
    func run() async -> [Answer] {
        let answers = await withTaskGroup(of: Answer.self) { group in
            for (id, probe) in backends { group.addTask { await Self.ask(id, probe) } }
            if let keystone { group.addTask { [loop, timeout] in await Self.ask(keystone, loop, timeout) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        loop.stop()
        return answers.sorted { $0.backend < $1.backend }
    }

    private static func ask(_ id: BackendID, _ probe: ObjectProbe) async -> Answer {
        switch await probe.head(of: path, in: id) {
        case .success: return Answer(backend: id.name, decision: .ready, detail: "answers")
        case .failure(let failure):
            return Answer(backend: id.name, decision: decision(of: failure), detail: detail(of: failure))
        }
    }

    /// The S3 error codes for credentials that are wrong for every object (Amazon S3 API reference, "Error responses").
    private static let wrongCredentials = [
        "InvalidAccessKeyId", "SignatureDoesNotMatch", "RequestTimeTooSkewed", "ExpiredToken", "InvalidToken",
        "AuthorizationHeaderMalformed",
    ]

    private static func decision(of failure: AttemptFailure) -> Answer.Decision {
        switch (failure.failureClass, failure.reason) {
        case (_, .missing): .ready
        case (_, .denied) where wrongCredentials.contains(where: { failure.detail.contains($0) }): .unusable
        // The answer of stores for a missing object if the credentials may not list the bucket.
        case (_, .denied), (.throttled, _), (.location, _): .uncertain
        default: .unusable
        }
    }

    private static func detail(of failure: AttemptFailure) -> String {
        switch failure.reason {
        case .missing: "answers"
        case .denied: "answers, but denies a missing object (\(failure.detail)): correct only if listing is not allowed"
        default: "\(failure)"
        }
    }

    private static func ask(
        _ keystone: BatonConfiguration.Keystone, _ loop: TransferLoop, _ timeout: Duration
    ) async -> Answer {
        var request = TransferRequest(source: .url(keystone.url))
        request.authorities = keystone.authorities
        do throws(TransferError) {
            let answer = try await Exchange.run(request, on: loop, timeout: timeout) { _ in 0 }
            let isWell = answer.head.status < 500
            return Answer(
                backend: "keystone", decision: isWell ? .ready : .unusable,
                detail: isWell ? "answers" : "answered with status \(answer.head.status)")
        } catch {
            return Answer(backend: "keystone", decision: .unusable, detail: "\(error)")
        }
    }
}
