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
        RangedAnswer(head).object(for: read)
    }

    /// The plain URL, which does not expire: the server is read without credentials.
    public func directURL(for path: String, lifetime: Duration) -> String? { url(of: path) }

    /// They don't.
    public var directURLsEnd: Bool { false }

    private func url(of path: String) -> String { "\(base)/\(LocationURL.encode(path: path))" }
}
