import BackendKit
import CurlTransfer

/// What a store means by an answer without bytes, as far as its head tells.
struct S3Refusal {
    let head: ResponseHead

    init(_ head: ResponseHead) { self.head = head }

    /// The failure, in words that say what to look at.
    var failure: AttemptFailure {
        let detail = "answered with status \(head.status)"
        switch head.status {
        case 301, 302, 307, 308:
            return AttemptFailure(.redirect, .backend, detail: "\(detail): \(otherPlace)")
        // A wrong region, an access key or a session's token that is malformed or expired, a missing signature.
        case 400:
            return AttemptFailure(
                .denied, .credentials, detail: "\(detail): region, access key or session token are not accepted\(regionHint)")
        case 401, 403:
            return AttemptFailure(
                .denied, .credentials,
                detail: "\(detail): the key or its rights are not accepted, or this machine's clock is off\(regionHint)")
        // SlowDown, with or without a time to wait.
        case 503:
            return AttemptFailure(.throttled, .throttled, retryAfter: RangedAnswer(head).retryAfter, detail: detail)
        default: return RangedAnswer(head).failure
        }
    }

    private var otherPlace: String {
        region.map { "the bucket is in the region \($0)" } ?? "the bucket is at another endpoint or in another region"
    }

    private var regionHint: String { region.map { "; the bucket is in the region \($0)" } ?? "" }

    /// Where the store says that the bucket is. Only what can be a region's name is repeated.
    private var region: String? {
        guard let name = head["x-amz-bucket-region"], (1...64).contains(name.utf8.count) else { return nil }
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        return isPlain ? name : nil
    }
}
