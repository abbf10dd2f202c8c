package import BackendKit
package import CurlTransfer
package import FoundationEssentials
import ImageModel
import Integrity

/// Reads objects from one container of OpenStack Swift, or of a store with its API, by ranged GETs with a token.
package struct OpenStackSwiftDriver: Driver {
    /// The token; nil for a public container.
    package var credentials: (any RenewableCredentials)? { tokens }

    private let container: OpenStackSwiftContainer
    private let account: LocationURL?
    private let tokens: OpenStackSwiftCredentials?
    private let signer: TempURLSigner?
    private let connectTimeout: Duration
    private let access: OriginAccess
    private let now: @Sendable () -> Date

    /// Creates a driver for one container.
    /// - Parameters:
    ///   - account: the account's URL; nil to use the log-in's.
    ///   - credentials: nil to read a public container without a token.
    ///   - signer: signs direct URLs; nil disables them.
    ///   - access: how the store is reached; it permits the addresses in the configuration.
    ///   - now: the clock for the expiry of direct URLs.
    package init(
        container: OpenStackSwiftContainer, account: LocationURL?, credentials: OpenStackSwiftCredentials?,
        signer: TempURLSigner?,
        connectTimeout: Duration, access: OriginAccess = OriginAccess(), now: @escaping @Sendable () -> Date = { Date.now }
    ) {
        self.container = container
        self.account = account
        self.tokens = credentials
        self.signer = signer
        self.connectTimeout = connectTimeout
        self.access = access
        self.now = now
    }

    /// Ranges of any length.
    package var capabilities: Capabilities {
        Capabilities()
    }

    /// A GET with the current token.
    package func transferRequest(for read: ReadRequest) -> TransferRequest {
        let session = tokens?.session
        // The account is unknown before the first log-in. A premature request then fails, and is not sent to another server.
        let url = (account ?? session?.account).map { container.url(of: read.path, in: $0) } ?? "swift:"
        let token = session.map { [(name: "X-Auth-Token", value: $0.token)] } ?? []
        var request = TransferRequest(
            source: .url(url), range: read.range.map { $0.first...$0.last }, headers: [UserAgent.field] + token,
            connectTimeout: connectTimeout, isFresh: read.isFresh)
        access.apply(to: &request, host: account?.host ?? "")
        return request
    }

    /// Interprets the status and the header fields. The store serves large objects (SLO, DLO) as one.
    package func inspect(_ head: ResponseHead, of read: ReadRequest) -> Result<ObjectHead, AttemptFailure> {
        switch head.status {
        case 200, 206:
            RangedAnswer(head).object(for: read).map { $0.stating(Self.digest(head)) }
        default: .failure(OpenStackSwiftRefusal(head).failure)
        }
    }

    /// A temporary URL that is valid for `lifetime`, at least a second; the plain URL of a public container. Nil without a key
    /// for such URLs, and before the first log-in if that provides the account's URL.
    package func directURL(for path: String, lifetime: Duration) -> String? {
        guard let account = account ?? tokens?.session?.account else { return nil }
        let url = container.url(of: path, in: account)
        guard let signer else { return tokens == nil ? url : nil }
        let end = Int64(now().timeIntervalSince1970) + max(1, lifetime.components.seconds)
        return "\(url)?\(signer.query(path: container.decodedPath(of: path, in: account), end: end))"
    }

    /// Whether direct URLs expire: temporary URLs do, those of public containers do not.
    package var hasExpiringDirectURLs: Bool { signer != nil }

    /// The MD5 of the object from its ETag; nil for large objects, whose ETag is not an MD5.
    private static func digest(_ head: ResponseHead) -> Digest? {
        guard head["x-static-large-object"] == nil, head["x-object-manifest"] == nil, let tag = head["etag"] else { return nil }
        return try? Digest(.md5, hex: tag)
    }
}

/// A store's response without bytes, interpreted by its head.
struct OpenStackSwiftRefusal {
    private let head: ResponseHead

    init(_ head: ResponseHead) { self.head = head }

    /// The failure, with a detail that names what to check.
    var failure: AttemptFailure {
        let detail = "answered with status \(head.status)"
        switch head.status {
        case 401:
            return AttemptFailure(.unauthorized, .credentials, detail: "\(detail): the token is invalid or has expired")
        case 403:
            return AttemptFailure(.denied, .credentials, detail: "\(detail): the user may not read this container")
        // The store checks the first segment before it responds.
        case 409:
            return AttemptFailure(
                .unreadable, .location, detail: "\(detail): a segment of the large object is missing or has changed")
        // 498 is the status of Swift's ratelimit middleware.
        case 429, 498:
            return AttemptFailure(.throttled, .throttled, retryAfter: RangedAnswer(head).retryAfter, detail: detail)
        default: return RangedAnswer(head).failure
        }
    }
}

/// Signs URLs that grant access to one object for a while (Swift's middleware TempURL). A value: the time is an argument.
package struct TempURLSigner: Sendable, Undisclosed {
    /// The digest of the signature. Swift accepts all of them by default, radosgw 16 only SHA-1.
    package enum Algorithm: String, Sendable, CaseIterable {
        case sha1, sha256, sha512

        var digest: DigestAlgorithm {
            switch self {
            case .sha1: .sha1
            case .sha256: .sha256
            case .sha512: .sha512
            }
        }
    }

    private let key: [UInt8]
    private let algorithm: Algorithm

    /// Creates a signer with a `Temp-URL-Key` of the account or the container.
    package init(key: String, algorithm: Algorithm = .sha256) {
        self.key = Array(key.utf8)
        self.algorithm = algorithm
    }

    /// The query that grants GET (and HEAD) on a path.
    /// - Parameters:
    ///   - path: decoded, from the store's root on, as the store compares it.
    ///   - end: the expiry, in seconds since 1970.
    func query(path: String, end: Int64) -> String {
        let signature = KeyedDigest.hex(algorithm.digest, over: "GET\n\(end)\n\(path)", key: key)
        return "temp_url_sig=\(signature)&temp_url_expires=\(end)"
    }
}
