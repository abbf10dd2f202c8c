package import BackendKit
package import CurlTransfer
package import FoundationEssentials
import ImageModel

/// Reads objects from one bucket of a store with the S3 API, by individually signed ranged GETs.
package struct S3Driver: Driver {
    private let endpoint: S3Endpoint
    private let signer: RequestSigner?
    private let connectTimeout: Duration
    private let access: OriginAccess
    private let now: @Sendable () -> Date

    /// Creates a driver for one bucket.
    /// - Parameters:
    ///   - region: the store's region, which is part of each signature.
    ///   - credentials: nil to read a public bucket without signatures.
    ///   - now: the clock for signatures; stores refuse those that are 15 minutes off.
    package init(
        endpoint: S3Endpoint, region: String, credentials: S3Credentials?, connectTimeout: Duration,
        access: OriginAccess = OriginAccess(), now: @escaping @Sendable () -> Date = { Date.now }
    ) {
        self.endpoint = endpoint
        self.signer = credentials.map { RequestSigner(credentials: $0, region: region) }
        self.connectTimeout = connectTimeout
        self.access = access
        self.now = now
    }

    /// Ranges of any length.
    package var capabilities: Capabilities { Capabilities() }

    /// A GET, signed now with the requested Range.
    package func transferRequest(for read: ReadRequest) -> TransferRequest {
        // libcurl creates the Range field; its value is signed here.
        let range = read.range.map { [(name: "range", value: "bytes=\($0.first)-\($0.last)")] } ?? []
        let signature = signer?.headers(
            method: "GET", path: endpoint.path(of: read.path), host: endpoint.host, headers: range, at: now())
        var request = TransferRequest(
            source: .url(endpoint.url(of: read.path)), range: read.range.map { $0.first...$0.last },
            headers: [UserAgent.field] + (signature ?? []), connectTimeout: connectTimeout, isFresh: read.isFresh)
        access.apply(to: &request, host: endpoint.base.host)
        return request
    }

    /// Interprets the status and the header fields.
    package func inspect(_ head: ResponseHead, of read: ReadRequest) -> Result<ObjectHead, AttemptFailure> {
        switch head.status {
        case 200, 206:
            RangedAnswer(head).object(for: read).map { $0.stating(Self.digest(head)) }
        default: .failure(S3Refusal(head).failure)
        }
    }

    /// The MD5 of the object from its ETag. The ETag of an object uploaded in one piece is the MD5 of its bytes, unless it is
    /// encrypted with a key that is not the store's own (Amazon S3 API reference, "Object"). The ETag of a multipart object
    /// contains a hyphen.
    private static func digest(_ head: ResponseHead) -> Digest? {
        let encryption = head["x-amz-server-side-encryption"] ?? "AES256"
        guard encryption == "AES256", head["x-amz-server-side-encryption-customer-algorithm"] == nil, let tag = head["etag"],
            tag.count == 34, tag.first == "\"", tag.last == "\""
        else { return nil }
        return try? Digest(.md5, hex: String(tag.dropFirst().dropLast()))
    }

    package var refusalLimit: Int { S3ErrorDocument.limit }

    /// Classifies a refusal by the code in the error document. The detail contains code and message only: the rest of the
    /// document may repeat signed text.
    package func explain(_ refusal: OriginRefusal) -> AttemptFailure {
        guard let document = S3ErrorDocument(refusal.body) else { return refusal.failure }
        return S3Refusal(refusal.head).failure(saying: document)
    }

    /// A presigned GET, valid for `lifetime` between a second and a week (and no longer than the credentials); the plain URL in
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

    /// Whether direct URLs are signed, and thus expire.
    package var hasExpiringDirectURLs: Bool { signer != nil }
}
