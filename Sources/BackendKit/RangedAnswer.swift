package import CurlTransfer
import ImageModel

/// A web server's response to a GET with or without a Range (RFC 9110 sections 14 and 15), read strictly. All drivers over HTTP
/// share it.
package struct RangedAnswer: Sendable {
    private let head: ResponseHead

    package init(_ head: ResponseHead) { self.head = head }

    /// The bytes that follow, or the failure. Two responses are good: a 206 that begins at the requested offset and ends within
    /// the requested range, and a 200 with everything. Neither may have a coding that changes the bytes.
    package func object(for read: ReadRequest) -> Result<ObjectHead, AttemptFailure> {
        switch head.status {
        case 206: partial(of: read)
        case 200: whole
        default: .failure(failure)
        }
    }

    /// The failure that a status without bytes means.
    package var failure: AttemptFailure {
        let detail = "answered with status \(head.status)"
        switch head.status {
        case 404, 410: return AttemptFailure(.missing, .location, detail: detail)
        case 416: return AttemptFailure(.wrongSize, .location, detail: detail)
        case 401: return AttemptFailure(.unauthorized, .credentials, detail: detail)
        case 403: return AttemptFailure(.denied, .credentials, detail: detail)
        case 429: return AttemptFailure(.throttled, .throttled, retryAfter: retryAfter, detail: detail)
        case 503 where retryAfter != nil:
            return AttemptFailure(.throttled, .throttled, retryAfter: retryAfter, detail: detail)
        case 500...599: return AttemptFailure(.serverError, .backend, detail: detail)
        case 300...399:
            return AttemptFailure(.redirect, .location, detail: detail + "; redirects of this backend are not followed")
        default: return AttemptFailure(.unexpectedStatus, .location, detail: detail)
        }
    }

    /// The delay that the server asks for, one hour at most; nil if it asks for none (RFC 9110 section 10.2.3).
    package var retryAfter: Duration? {
        guard let seconds = head["retry-after"].flatMap(Int64.init) ?? secondsUntilRetry, seconds > 0 else { return nil }
        return .seconds(min(seconds, 3600))
    }

    /// The seconds between the response's Date and its Retry-After date, both by the server's clock.
    private var secondsUntilRetry: Int64? {
        guard let time = head.time("retry-after"), let now = head.time("date") else { return nil }
        return time - now
    }

    private func partial(of read: ReadRequest) -> Result<ObjectHead, AttemptFailure> {
        if let failure = coding.failure { return .failure(failure) }
        guard let range = head["content-range"].flatMap(ContentRange.init) else {
            return .failure(AttemptFailure(.wrongRange, .location, detail: "206 without a Content-Range that can be read"))
        }
        // The range may end earlier (RFC 9110 section 15.3.7): the object is shorter, or the server limits the size of a
        // response.
        guard let asked = read.range, range.first == asked.first, range.last <= asked.last else {
            return .failure(
                AttemptFailure(
                    .wrongRange, .location,
                    detail: "asked for bytes \(read.range?.description ?? "all"), was answered \(range.first)-\(range.last)"))
        }
        return .success(
            ObjectHead(
                first: range.first, count: range.last - range.first + 1, total: range.total, validator: validator,
                coding: coding.label))
    }

    private var whole: Result<ObjectHead, AttemptFailure> {
        if let failure = coding.failure { return .failure(failure) }
        let length = head["content-length"].flatMap { Int64($0) }
        // Apache answers a range that covers every byte with 200, although it serves other ranges.
        let units = (head["accept-ranges"] ?? "").lowercased().split { ", \t".contains($0) }
        return .success(
            ObjectHead(
                first: 0, count: length, total: length, validator: validator, answersRanges: units.contains("bytes"),
                coding: coding.label))
    }

    private var coding: ContentCoding { ContentCoding(head) }

    /// The ETag, weak or strong, else the Last-Modified date. Both are compared only with an earlier response for the same
    /// location.
    private var validator: Validator? {
        if let tag = head["etag"] { return Validator(tag) }
        return head["last-modified"].map { Validator("last-modified \($0)") }
    }
}
