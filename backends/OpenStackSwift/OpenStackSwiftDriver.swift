package import BackendKit
package import CurlTransfer
package import FoundationEssentials
import ImageModel

/// Reads objects from one container of OpenStack Swift, or of what speaks its API, by ranged GETs with a token.
package struct OpenStackSwiftDriver: Driver {
    /// The token; nil where the container is public.
    package var credentials: (any RenewableCredentials)? { tokens }

    private let container: OpenStackSwiftContainer
    private let account: LocationURL?
    private let tokens: OpenStackSwiftCredentials?
    private let signer: TempURLSigner?
    private let connectTimeout: Duration
    private let access: ServerAccess
    private let now: @Sendable () -> Date

    /// A driver for one container.
    /// - Parameters:
    ///   - account: the account's URL; nil to have it from the log-in.
    ///   - credentials: nil to read a public container, without a token.
    ///   - signer: who signs direct URLs; nil for nobody.
    ///   - access: how the store is reached; it permits the addresses that the operator wrote down.
    ///   - now: the time that direct URLs end by.
    package init(
        container: OpenStackSwiftContainer, account: LocationURL?, credentials: OpenStackSwiftCredentials?,
        signer: TempURLSigner?,
        connectTimeout: Duration, access: ServerAccess = ServerAccess(), now: @escaping @Sendable () -> Date = { Date.now }
    ) {
        self.container = container
        self.account = account
        self.tokens = credentials
        self.signer = signer
        self.connectTimeout = connectTimeout
        self.access = access
        self.now = now
    }

    /// Ranges of any length; temporary URLs if there is a key for them; nothing is written.
    package var capabilities: Capabilities {
        Capabilities(ranges: true, redirectable: signer != nil || tokens == nil, writable: false)
    }

    /// A GET with the token that is there now.
    package func transferRequest(for read: ReadRequest) -> TransferRequest {
        let session = tokens?.session
        // Before the first log-in nobody knows where the account is. Whoever asks too early gets an error, and no other server
        // the request.
        let url = (account ?? session?.account).map { container.url(of: read.path, in: $0) } ?? "swift:"
        let token = session.map { [(name: "X-Auth-Token", value: $0.token)] } ?? []
        var request = TransferRequest(
            source: .url(url), range: read.range.map { $0.first...$0.last }, headers: [("User-Agent", "baton")] + token,
            connectTimeout: connectTimeout, isFresh: read.isFresh)
        access.apply(to: &request, host: account?.host ?? "")
        return request
    }

    /// What the status and the header fields mean. Large objects (SLO, DLO) are answered as one.
    package func inspect(_ head: ResponseHead, of read: ReadRequest) -> Result<ObjectHead, AttemptFailure> {
        switch head.status {
        case 200, 206:
            RangedAnswer(head).object(for: read).map { $0.stating(Self.digest(head)) }
        default: .failure(OpenStackSwiftRefusal(head).failure)
        }
    }

    /// A temporary URL that is good for `lifetime`, a second at least; the plain one of a public container. Nil without a key for
    /// such URLs, and before the first log-in if that says where the account is.
    package func directURL(for path: String, lifetime: Duration) -> String? {
        guard let account = account ?? tokens?.session?.account else { return nil }
        let url = container.url(of: path, in: account)
        guard let signer else { return tokens == nil ? url : nil }
        let end = Int64(now().timeIntervalSince1970) + max(1, lifetime.components.seconds)
        return "\(url)?\(signer.query(path: container.decodedPath(of: path, in: account), end: end))"
    }

    /// Temporary URLs end, those of public containers do not.
    package var directURLsEnd: Bool { signer != nil }

    /// The ETag of an object in one piece is the MD5 of its bytes; that of a large one is not.
    private static func digest(_ head: ResponseHead) -> Digest? {
        guard head["x-static-large-object"] == nil, head["x-object-manifest"] == nil, let tag = head["etag"] else { return nil }
        return try? Digest(.md5, hex: tag)
    }
}
