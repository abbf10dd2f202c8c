package import BackendKit
package import CurlTransfer
package import FoundationEssentials
import ImageModel

/// Reads objects from one bucket of a store that speaks S3, by ranged GETs that are signed one by one.
package struct S3Driver: Driver {
    private let endpoint: S3Endpoint
    private let signer: RequestSigner?
    private let connectTimeout: Duration
    private let access: ServerAccess
    private let now: @Sendable () -> Date

    /// A driver for one bucket.
    /// - Parameters:
    ///   - region: the store's name for where it is; part of each signature.
    ///   - credentials: nil to read a public bucket, without signatures.
    ///   - now: the time that signatures bear; stores refuse those that are 15 minutes off.
    package init(
        endpoint: S3Endpoint, region: String, credentials: S3Credentials?, connectTimeout: Duration,
        access: ServerAccess = ServerAccess(), now: @escaping @Sendable () -> Date = { Date.now }
    ) {
        self.endpoint = endpoint
        self.signer = credentials.map { RequestSigner(credentials: $0, region: region) }
        self.connectTimeout = connectTimeout
        self.access = access
        self.now = now
    }

    /// Ranges of any length; presigned URLs; nothing is written.
    package var capabilities: Capabilities { Capabilities(ranges: true, redirectable: true, writable: false) }

    /// A GET, signed now with the Range that was asked for.
    package func transferRequest(for read: ReadRequest) -> TransferRequest {
        // libcurl makes the Range field; what it will say is signed.
        let range = read.range.map { [(name: "range", value: "bytes=\($0.first)-\($0.last)")] } ?? []
        let signature = signer?.headers(
            method: "GET", path: endpoint.path(of: read.path), host: endpoint.host, headers: range, at: now())
        var request = TransferRequest(
            source: .url(endpoint.url(of: read.path)), range: read.range.map { $0.first...$0.last },
            headers: [("User-Agent", "baton")] + (signature ?? []), connectTimeout: connectTimeout, isFresh: read.isFresh)
        access.apply(to: &request, host: endpoint.base.host)
        return request
    }

    /// What the status and the header fields mean.
    package func inspect(_ head: ResponseHead, of read: ReadRequest) -> Result<ObjectHead, AttemptFailure> {
        switch head.status {
        case 200, 206:
            RangedAnswer(head).object(for: read).map { $0.stating(Self.digest(head)) }
        default: .failure(S3Refusal(head).failure)
        }
    }

    /// The ETag of an object in one piece is the MD5 of its bytes, unless it is encrypted with a key that is not the store's own
    /// (Amazon S3 API reference, "Object"). That of one in several parts has a hyphen.
    private static func digest(_ head: ResponseHead) -> Digest? {
        let encryption = head["x-amz-server-side-encryption"] ?? "AES256"
        guard encryption == "AES256", head["x-amz-server-side-encryption-customer-algorithm"] == nil, let tag = head["etag"],
            tag.count == 34, tag.first == "\"", tag.last == "\""
        else { return nil }
        return try? Digest(.md5, hex: String(tag.dropFirst().dropLast()))
    }

    /// Error documents are short.
    package var refusalLimit: Int { S3ErrorDocument.limit }

    /// What the code in the error document means, and code and message in words; nothing else of the document, which may repeat
    /// what was signed.
    package func explain(_ refusal: Refusal) -> AttemptFailure {
        guard let document = S3ErrorDocument(refusal.body) else { return refusal.failure }
        return S3Refusal(refusal.head).failure(saying: document)
    }

    /// A presigned GET, good for `lifetime` within a second and a week (and no longer than the credentials are); the plain URL in
    /// a public bucket.
    package func directURL(for path: String, lifetime: Duration) -> String? {
        let url = endpoint.url(of: path)
        guard let signer else { return url }
        let seconds = Int(max(1, min(lifetime.components.seconds, Int64(RequestSigner.longestLifetime))))
        let query = signer.presignedQuery(
            method: "GET", path: endpoint.path(of: path), host: endpoint.host,
            parameters: [(name: "response-content-type", value: "application/octet-stream")], lifetime: seconds, at: now())
        return "\(url)?\(query)"
    }

    /// Those that are signed do.
    package var directURLsEnd: Bool { signer != nil }
}
