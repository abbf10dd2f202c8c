public import BackendKit
public import CurlTransfer
internal import ImageModel

/// A driver for tests that shows a `TokenDoor`'s token to a web server.
public struct TokenDriver: Driver {
    private let door: TokenDoor
    private let url: String
    private let maximumRange: Int64?

    /// - Parameters:
    ///   - url: of the one object there is.
    ///   - maximumRange: the most bytes of one request; nil for no limit.
    public init(_ door: TokenDoor, url: String, maximumRange: Int64? = nil) {
        self.door = door
        self.url = url
        self.maximumRange = maximumRange
    }

    /// Ranges.
    public var capabilities: Capabilities {
        Capabilities(ranges: true, redirectable: false, writable: false, maximumRange: maximumRange)
    }

    /// The door.
    public var credentials: (any RenewableCredentials)? { door }

    /// A GET with the token of now.
    public func transferRequest(for read: ReadRequest) -> TransferRequest {
        TransferRequest(
            source: .url(url), range: read.range.map { $0.first...$0.last }, headers: [("X-Auth-Token", door.token)],
            isFresh: read.isFresh)
    }

    /// As every driver over HTTP.
    public func inspect(_ head: ResponseHead, of read: ReadRequest) -> Result<ObjectHead, AttemptFailure> {
        RangedAnswer(head).object(for: read)
    }
}
