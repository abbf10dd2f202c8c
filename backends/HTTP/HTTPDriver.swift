public import BackendKit
public import CurlTransfer
internal import ImageModel

/// Reads objects from a web server by ranged GETs (RFC 9110 section 14).
public struct HTTPDriver: Driver {
    private let base: LocationURL
    private let connectTimeout: Duration

    /// A driver for the server at `base`.
    public init(base: LocationURL, connectTimeout: Duration) {
        self.base = base
        self.connectTimeout = connectTimeout
    }

    /// Ranges of any length; nothing is written.
    public var capabilities: Capabilities { Capabilities(ranges: true, redirectable: true, writable: false) }

    /// A GET, with the Range that was asked for.
    public func transferRequest(for read: ReadRequest) -> TransferRequest {
        TransferRequest(
            source: .url(url(of: read.path)), range: read.range.map { $0.first...$0.last },
            headers: [("User-Agent", "baton")], connectTimeout: connectTimeout, isFresh: read.isFresh)
    }

    /// What the status and the header fields mean.
    public func inspect(_ head: ResponseHead, of read: ReadRequest) -> Result<ObjectHead, AttemptFailure> {
        switch head.status {
        case 206: inspectPartial(head, of: read)
        case 200: inspectWhole(head)
        default: .failure(failure(of: head))
        }
    }

    private func inspectPartial(_ head: ResponseHead, of read: ReadRequest) -> Result<ObjectHead, AttemptFailure> {
        if let encoded = encodingFailure(head) { return .failure(encoded) }
        guard let range = head["content-range"].flatMap(ContentRange.init) else {
            return .failure(AttemptFailure(.wrongRange, .location, detail: "206 without a Content-Range that can be read"))
        }
        // The last byte may be another only where the object ends before what was asked for; its size then tells that story.
        guard let asked = read.range, range.first == asked.first, range.last == min(asked.last, range.total - 1) else {
            return .failure(
                AttemptFailure(
                    .wrongRange, .location,
                    detail: "asked for bytes \(read.range?.description ?? "all"), was answered \(range.first)-\(range.last)"))
        }
        return .success(
            ObjectHead(
                first: range.first, count: range.last - range.first + 1, total: range.total, validator: validator(in: head)))
    }

    private func inspectWhole(_ head: ResponseHead) -> Result<ObjectHead, AttemptFailure> {
        if let encoded = encodingFailure(head) { return .failure(encoded) }
        let length = head["content-length"].flatMap { Int64($0) }
        return .success(ObjectHead(first: 0, count: length, total: length, validator: validator(in: head)))
    }

    private func encodingFailure(_ head: ResponseHead) -> AttemptFailure? {
        guard let encoding = head["content-encoding"], encoding.lowercased() != "identity" else { return nil }
        return AttemptFailure(.encoded, .location, detail: "the answer is encoded (Content-Encoding: \(encoding.prefix(32)))")
    }

    private func failure(of head: ResponseHead) -> AttemptFailure {
        let detail = "answered with status \(head.status)"
        let retryAfter = head["retry-after"].flatMap { Int($0) }.map { Duration.seconds(max(0, min($0, 3600))) }
        switch head.status {
        case 404, 410: return AttemptFailure(.missing, .location, detail: detail)
        case 416: return AttemptFailure(.wrongSize, .location, detail: detail)
        case 401, 403: return AttemptFailure(.denied, .credentials, detail: detail)
        case 429: return AttemptFailure(.throttled, .throttled, retryAfter: retryAfter, detail: detail)
        case 503 where retryAfter != nil:
            return AttemptFailure(.throttled, .throttled, retryAfter: retryAfter, detail: detail)
        case 500...599: return AttemptFailure(.serverError, .backend, detail: detail)
        case 300...399:
            return AttemptFailure(.redirect, .location, detail: detail + "; redirects of this backend are not followed")
        default: return AttemptFailure(.unexpectedStatus, .location, detail: detail)
        }
    }

    /// The ETag, weak or strong, else the date: both only ever compared with an earlier answer for the same location.
    private func validator(in head: ResponseHead) -> Validator? {
        if let tag = head["etag"] { return Validator(tag) }
        return head["last-modified"].map { Validator("last-modified \($0)") }
    }

    /// The plain URL: the server is read without credentials.
    public func directURL(for path: String) -> String? { url(of: path) }

    private func url(of path: String) -> String { "\(base)/\(LocationURL.encode(path: path))" }
}
