package import CurlTransfer
package import ImageModel

/// What a kind of backend can do.
package struct Capabilities: Sendable, Hashable {
    /// Whether any part of an object can be asked for. (Whether a server keeps that promise shows in its answers.)
    package let ranges: Bool
    /// Whether a client can be sent there with a direct URL.
    package let redirectable: Bool
    /// Whether objects can be written.
    package let writable: Bool
    /// The most bytes that one request should ask for; nil for no limit. Requests with a limit are never paused.
    package let maximumRange: Int64?

    /// Capabilities with every property given.
    package init(ranges: Bool, redirectable: Bool, writable: Bool, maximumRange: Int64? = nil) {
        self.ranges = ranges
        self.redirectable = redirectable
        self.writable = writable
        self.maximumRange = maximumRange
    }
}

/// One read that the relay wants of a driver.
package struct ReadRequest: Sendable, Hashable {
    /// Where in the backend, decoded, without a leading slash.
    package let path: String
    /// Which bytes; nil for all, with no Range sent.
    package let range: ByteRange?
    /// Whether to go past caches on a new connection.
    package let isFresh: Bool

    /// A read with every property given.
    package init(path: String, range: ByteRange?, isFresh: Bool = false) {
        self.path = path
        self.range = range
        self.isFresh = isFresh
    }
}

/// The code for one kind of backend: it says how to ask, and what the answer means. It opens no sockets.
package protocol Driver: Sendable {
    /// What this kind of backend can do.
    var capabilities: Capabilities { get }

    /// What its requests carry and what has to be renewed; nil if nothing ends.
    var credentials: (any RenewableCredentials)? { get }

    /// How to ask for these bytes.
    func transferRequest(for read: ReadRequest) -> TransferRequest

    /// What an answer's head means: the bytes that follow it, or why they are not wanted. Called before any byte of the body.
    func inspect(_ head: ResponseHead, of read: ReadRequest) -> Result<ObjectHead, AttemptFailure>

    /// The most bytes of a refusal's body that are worth being read before the next location is asked; 0 for none.
    var refusalLimit: Int { get }

    /// What a refusal means, its body included.
    func explain(_ refusal: Refusal) -> AttemptFailure

    /// What an error of the transfer means.
    func classify(_ error: TransferError) -> AttemptFailure

    /// A URL that a trusted client can read the object at without any credentials but those in the URL itself; nil if there is
    /// none.
    /// - Parameter lifetime: how long credentials in the URL are good for, from now on; a driver may cut it to what its kind of
    ///   backend takes.
    func directURL(for path: String, lifetime: Duration) -> String?

    /// Whether its direct URLs end with their lifetime; those that hold no credentials don't.
    var directURLsEnd: Bool { get }
}

extension Driver {
    /// None that end.
    package var credentials: (any RenewableCredentials)? { nil }

    /// None: most servers say in the head all that matters.
    package var refusalLimit: Int { 0 }

    /// What the head alone means.
    package func explain(_ refusal: Refusal) -> AttemptFailure { refusal.failure }

    /// The common meaning of a transfer's errors.
    package func classify(_ error: TransferError) -> AttemptFailure { .classify(error) }

    /// None: most backends can't be read without credentials.
    package func directURL(for path: String, lifetime: Duration) -> String? { nil }

    /// They do.
    package var directURLsEnd: Bool { true }
}
