import BackendKit
import CurlTransfer

extension S3Refusal {
    /// The failure by the code of the error document, which distinguishes causes with the same status.
    func failure(saying document: S3ErrorDocument) -> AttemptFailure {
        let byStatus = failure
        let said = "answered with status \(head.status), \(document.summary)"
        switch document.code {
        case "NoSuchBucket": return AttemptFailure(.missing, .backend, detail: "\(said) Look at the backend's bucket.")
        case "NoSuchKey", "NoSuchVersion": return AttemptFailure(.missing, .location, detail: said)
        case "InvalidObjectState":
            return AttemptFailure(
                .unreadable, .location, detail: "\(said) The object is in an archive: restore it there first.")
        case "RequestTimeTooSkewed":
            return AttemptFailure(.denied, .credentials, detail: "\(said) Set this machine's clock.")
        case "AuthorizationHeaderMalformed" where document.region != nil:
            return AttemptFailure(
                .denied, .credentials, detail: "\(said) Set the backend's region to \(document.region ?? "").")
        case "SlowDown", "RequestLimitExceeded", "Throttling", "TooManyRequests":
            return AttemptFailure(.throttled, .throttled, retryAfter: byStatus.retryAfter, detail: said)
        case "InternalError", "ServiceUnavailable": return AttemptFailure(.serverError, .backend, detail: said)
        default:
            return AttemptFailure(
                byStatus.reason, byStatus.failureClass, retryAfter: byStatus.retryAfter,
                detail: "\(byStatus.detail); \(document.summary)")
        }
    }
}
