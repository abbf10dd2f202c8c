import BackendKit
import CurlTransfer

/// What a store means by an answer without bytes.
struct OpenStackSwiftRefusal {
    private let head: ResponseHead

    init(_ head: ResponseHead) { self.head = head }

    /// The failure, with a detail that names what to check.
    var failure: AttemptFailure {
        let detail = "answered with status \(head.status)"
        switch head.status {
        case 401:
            return AttemptFailure(.unauthorized, .credentials, detail: "\(detail): the token is not good, or no longer")
        case 403:
            return AttemptFailure(.denied, .credentials, detail: "\(detail): the user may not read this container")
        // The store checks the first segment before it responds.
        case 409:
            return AttemptFailure(
                .unreadable, .location, detail: "\(detail): a segment of the large object is missing or another one")
        // 498 is the status of Swift's ratelimit middleware.
        case 429, 498:
            return AttemptFailure(.throttled, .throttled, retryAfter: RangedAnswer(head).retryAfter, detail: detail)
        default: return RangedAnswer(head).failure
        }
    }
}
