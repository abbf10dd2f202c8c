package import CurlTransfer
package import ImageModel

/// The capabilities of a kind of backend.
package struct Capabilities: Sendable, Hashable {
    /// The most bytes that one request should ask for; nil for no limit. Requests with a limit are never paused.
    package let maximumRange: Int64?

    package init(maximumRange: Int64? = nil) {
        self.maximumRange = maximumRange
    }

    /// Whether the bytes of one request are limited.
    package var isBounded: Bool { maximumRange != nil }
}

/// One read, for which a driver describes the request.
package struct ReadRequest: Sendable, Hashable {
    /// The path in the backend, decoded, without a leading slash.
    package let path: String
    /// The requested bytes; nil for all, without a Range header.
    package let range: ByteRange?
    /// Whether to bypass caches and use a new connection.
    package let isFresh: Bool

    package init(path: String, range: ByteRange?, isFresh: Bool = false) {
        self.path = path
        self.range = range
        self.isFresh = isFresh
    }
}

/// The code for one kind of backend. It describes the request for a read and interprets the response. It opens no sockets.
package protocol Driver: Sendable {
    var capabilities: Capabilities { get }

    /// The credentials of its requests that have to be renewed; nil if they do not expire.
    var credentials: (any RenewableCredentials)? { get }

    /// Describes the request for a read.
    func transferRequest(for read: ReadRequest) -> TransferRequest

    /// Interprets the head of a response: the bytes that follow it, or the failure. Called before any byte of the body.
    func inspect(_ head: ResponseHead, of read: ReadRequest) -> Result<ObjectHead, AttemptFailure>

    /// The most bytes of a refusal's body to read before the next location is tried; 0 for none.
    var refusalLimit: Int { get }

    /// Classifies a refusal by its head and body.
    func explain(_ refusal: OriginRefusal) -> AttemptFailure

    /// Classifies a transfer error.
    func classify(_ error: TransferError) -> AttemptFailure

    /// A URL at which a trusted client can read the object without further credentials; nil if there is none.
    /// - Parameter lifetime: how long credentials in the URL are valid from now on. A driver may shorten it to its backend's
    ///   limit.
    func directURL(for path: String, lifetime: Duration) -> String?

    /// Whether its direct URLs expire after their lifetime; URLs without credentials do not.
    var hasExpiringDirectURLs: Bool { get }
}

extension Driver {
    /// The default: nothing to renew.
    package var credentials: (any RenewableCredentials)? { nil }

    /// The default is 0: the head of most servers' responses says all that matters.
    package var refusalLimit: Int { 0 }

    /// The default: the failure that the head alone implies.
    package func explain(_ refusal: OriginRefusal) -> AttemptFailure { refusal.failure }

    /// The default: the driver-independent classification.
    package func classify(_ error: TransferError) -> AttemptFailure { .classify(error) }

    /// The default is nil: most backends can't be read without credentials.
    package func directURL(for path: String, lifetime: Duration) -> String? { nil }

    /// The default: direct URLs expire.
    package var hasExpiringDirectURLs: Bool { true }
}
