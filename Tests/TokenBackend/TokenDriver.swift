package import BackendKit
package import CurlTransfer
import ImageModel

/// A driver for tests that sends a `TokenDoor`'s token to a web server.
package struct TokenDriver: Driver {
    private let door: TokenDoor
    private let url: String
    private let maximumRange: Int64?

    /// - Parameters:
    ///   - url: the URL of its only object.
    ///   - maximumRange: the limit of one request's range, in bytes; nil for no limit.
    package init(_ door: TokenDoor, url: String, maximumRange: Int64? = nil) {
        self.door = door
        self.url = url
        self.maximumRange = maximumRange
    }

    /// Ranges.
    package var capabilities: Capabilities {
        Capabilities(maximumRange: maximumRange)
    }

    /// The door.
    package var credentials: (any RenewableCredentials)? { door }

    /// A GET with the current token.
    package func transferRequest(for read: ReadRequest) -> TransferRequest {
        TransferRequest(
            source: .url(url), range: read.range.map { $0.first...$0.last }, headers: [("X-Auth-Token", door.token)],
            isFresh: read.isFresh)
    }

    /// As in every driver over HTTP.
    package func inspect(_ head: ResponseHead, of read: ReadRequest) -> Result<ObjectHead, AttemptFailure> {
        RangedAnswer(head).object(for: read)
    }
}
