import BackendKit
import CurlTransfer
import ImageModel

/// A store's response without bytes, interpreted by its head.
struct S3Refusal {
    let head: ResponseHead

    init(_ head: ResponseHead) { self.head = head }

    /// The failure, with a detail that names what to check.
    var failure: AttemptFailure {
        let detail = "answered with status \(head.status)"
        switch head.status {
        case 301, 302, 307, 308:
            return AttemptFailure(.redirect, .backend, detail: "\(detail): \(regionPhrase)")
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

    private var regionPhrase: String {
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

extension S3Refusal {
    /// The failure by the code of the error document, which distinguishes causes with the same status.
    func failure(saying document: S3ErrorDocument) -> AttemptFailure {
        let byStatus = failure
        let said = "answered with status \(head.status), \(document.summary)"
        switch document.code {
        case "NoSuchBucket": return AttemptFailure(.missing, .backend, detail: "\(said) Check the backend's bucket.")
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

/// The code, message and region in the body of a store's refusal.
///
/// Error documents (Amazon S3 API reference, "Error responses") are small XML documents. Some servers include the string to
/// sign or the canonical request, which would leak parts of a request's secrets into the log. So no other elements are read.
struct S3ErrorDocument: Equatable {
    /// The code, such as `NoSuchKey` or `SlowDown`: letters, digits, dots and hyphens, at most 64.
    let code: String
    /// One sentence for a person, in at most 200 printable characters; nil if there is none.
    let message: String?
    /// The region that signatures must name; nil if the store states none.
    let region: String?

    /// The most bytes of a body that are parsed.
    static let limit = 16 << 10

    /// Parses a body.
    /// - Returns: nil if it is not an error document.
    init?(_ body: some Collection<UInt8>) {
        var scanner = ElementScanner(body.prefix(Self.limit))
        guard scanner.openRoot("Error") else { return nil }
        var found: [String: String] = [:]
        while let (name, text) = scanner.nextChild() {
            if ["Code", "Message", "Region"].contains(name), found[name] == nil { found[name] = text }
        }
        guard let code = found["Code"], Self.isName(code) else { return nil }
        self.code = code
        message = found["Message"].map(Self.printable).flatMap { $0.isEmpty ? nil : $0 }
        region = found["Region"].flatMap { Self.isName($0) ? $0 : nil }
    }

    /// The code and the message, for the log.
    var summary: String { message.map { "\(code): \($0)" } ?? code }

    private static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    /// The text on one line, without control characters, truncated to the length of a log line.
    private static func printable(_ text: String) -> String {
        let words = text.unicodeScalars.split { $0.properties.generalCategory == .control || $0 == " " }
        let line = words.map { String(String.UnicodeScalarView($0)) }.joined(separator: " ")
        return line.excerpt(200)
    }
}
