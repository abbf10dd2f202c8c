package import CurlTransfer
package import ImageModel

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

    /// The failure that the status implies, for a response without the object's bytes.
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
            return .failure(AttemptFailure(.wrongRange, .location, detail: "the 206 response has no valid Content-Range"))
        }
        // The range may end earlier (RFC 9110 section 15.3.7): the object is shorter, or the server limits the size of a
        // response.
        guard let requested = read.range, range.first == requested.first, range.last <= requested.last else {
            return .failure(
                AttemptFailure(
                    .wrongRange, .location,
                    detail: "the response has the bytes \(range.first)-\(range.last), but "
                        + "\(read.range?.description ?? "all") were requested"))
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

/// The `Content-Range` of a 206 (RFC 9110 section 14.4), read strictly: both ends must be present, and the total size or `*`.
package struct ContentRange: Sendable, Hashable {
    /// The offset of the first byte that follows.
    package let first: Int64
    /// The offset of the last byte that follows.
    package let last: Int64
    /// The total size; nil if the server does not know it.
    package let total: Int64?

    /// Parses `bytes 0-99/1234` or `bytes 0-99/*`; nil for anything else.
    package init?(_ text: String) {
        let words = text.split(separator: " ", omittingEmptySubsequences: true)
        guard words.count == 2, words[0].lowercased() == "bytes" else { return nil }
        let halves = words[1].split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2 else { return nil }
        let ends = halves[0].split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = Self.number(ends[0]), let last = Self.number(ends[1]), first <= last,
            last < Int64.max
        else { return nil }
        if halves[1] == "*" {
            total = nil
        } else {
            guard let number = Self.number(halves[1]), last < number else { return nil }
            total = number
        }
        self.first = first
        self.last = last
    }

    /// Parses digits only: `Int64.init` also accepts signs.
    private static func number(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return Int64(text)
    }
}

/// The `Content-Encoding` of a response (RFC 9110 section 8.4): a list over any number of fields.
///
/// Baton decodes nothing and requests no coding. A server that names one therefore stored the object in that coding, or repeats
/// an upload's header: S3 clients send `aws-chunked`, and some stores return it. Bytes labelled gzip are used as they are; the
/// declared digest decides whether they are right.
package struct ContentCoding: Sendable, Hashable {
    /// The first gzip label; nil if there is none.
    package let label: String?
    /// The first coding of any other kind; nil if there is none.
    package let unknown: String?

    /// Reads the codings of a response.
    package init(_ head: ResponseHead) {
        let names = head.fields.filter { $0.name == "content-encoding" }.flatMap { field in
            field.value.split(separator: ",").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
        }
        label = names.first { Self.labels.contains($0) }
        unknown = names.first { !$0.isEmpty && !Self.plain.contains($0) && !Self.labels.contains($0) }
    }

    /// Codings that say nothing about the bytes of the body.
    private static let plain: Set = ["identity", "aws-chunked"]
    private static let labels: Set = ["gzip", "x-gzip"]

    /// The failure if the bytes can't be used; nil if they can.
    var failure: AttemptFailure? {
        unknown.map {
            AttemptFailure(.encoded, .location, detail: "the response is encoded (Content-Encoding: \($0.excerpt(32)))")
        }
    }
}

/// The head of a good response as read by a driver: the bytes that follow, and the object they belong to.
package struct ObjectHead: Sendable, Hashable {
    /// The offset of the first byte that follows.
    package let first: Int64
    /// The announced number of bytes that follow; nil if the server did not say.
    package let count: Int64?
    /// The size of the whole object; nil if the server did not say.
    package let total: Int64?
    /// The validator that pins the object; nil if the server sent none.
    package let validator: Validator?
    /// The digest of the whole object that the server states; nil if it states none. It was recorded when the object was
    /// written and does not verify the bytes that follow.
    package let stated: Digest?
    /// Whether later ranged reads can be expected to start at their first byte.
    package let answersRanges: Bool
    /// The coding that the bytes are labelled with (gzip), which is not decoded; nil if they are plain.
    package let coding: String?

    package init(
        first: Int64, count: Int64?, total: Int64?, validator: Validator?, stated: Digest? = nil,
        answersRanges: Bool = true, coding: String? = nil
    ) {
        self.first = first
        self.count = count
        self.total = total
        self.validator = validator
        self.stated = stated
        self.answersRanges = answersRanges
        self.coding = coding
    }

    /// A copy with the digest that the server states.
    package func stating(_ digest: Digest?) -> ObjectHead {
        ObjectHead(
            first: first, count: count, total: total, validator: validator, stated: digest, answersRanges: answersRanges,
            coding: coding)
    }
}
