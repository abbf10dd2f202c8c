import BackendKit
import CurlTransfer

/// A store's response without bytes, interpreted by its head.
struct S3Refusal {
    let head: ResponseHead

    init(_ head: ResponseHead) { self.head = head }

    /// The failure, with a detail that names what to check.
    var failure: AttemptFailure {
        let detail = "answered with status \(head.status)"
        switch head.status {
        case 301, 302, 307, 308:
            return AttemptFailure(.redirect, .backend, detail: "\(detail): \(otherPlace)")
        // A wrong region, a malformed or expired access key or session token, or a missing signature.
        case 400:
            return AttemptFailure(
                .denied, .credentials, detail: "\(detail): region, access key or session token are not accepted\(regionHint)")
        case 401, 403:
            return AttemptFailure(
                .denied, .credentials,
                detail: "\(detail): the key or its rights are not accepted, or this machine's clock is off\(regionHint)")
        // SlowDown, with or without Retry-After.
        case 503:
            return AttemptFailure(.throttled, .throttled, retryAfter: RangedAnswer(head).retryAfter, detail: detail)
        default: return RangedAnswer(head).failure
        }
    }

    private var otherPlace: String {
        region.map { "the bucket is in the region \($0)" } ?? "the bucket is at another endpoint or in another region"
    }

    private var regionHint: String { region.map { "; the bucket is in the region \($0)" } ?? "" }

    /// The bucket's region as stated by the store; nil unless it has the form of a region's name.
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
