package import BackendKit
package import CurlTransfer

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
