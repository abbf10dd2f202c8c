/// The reason why a command failed; one sentence for a person.
package struct ClientError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure. It decides the exit code and whether a retry makes sense.
    package enum Kind: Sendable, Equatable {
        /// There is no server, or the connection to it broke.
        case unreachable
        /// The server's certificate is not trusted, so it may be another server.
        case untrusted
        /// The server refused the request with this status.
        case refused(status: Int)
        /// The bytes do not match the image's digest.
        case corrupt
        /// A local file operation failed.
        case file
        /// The server's response is malformed.
        case invalidInput
        /// The user declined when asked for confirmation.
        case declined
        /// The reader of the output closed it.
        case readerGone
    }

    package let kind: Kind
    /// What failed, where, and the remedy.
    package let message: String
    /// The delay that the server asked for.
    package let retryAfter: Duration?

    package init(_ kind: Kind, _ message: String, retryAfter: Duration? = nil) {
        self.kind = kind
        self.message = message
        self.retryAfter = retryAfter
    }

    package var description: String { message }

    /// Whether a retry may succeed a little later.
    var isPassing: Bool {
        switch kind {
        case .unreachable, .refused(status: 502...504), .refused(status: 429): true
        case .untrusted, .refused, .corrupt, .file, .invalidInput, .declined, .readerGone: false
        }
    }
}
