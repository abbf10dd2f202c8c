/// Why a command could not be carried out; one sentence for a person.
package struct ClientError: Error, Sendable, CustomStringConvertible {
    /// What kind of trouble; decides the exit code and whether trying again makes sense.
    package enum Kind: Sendable, Equatable {
        /// There is no server, or the connection to it broke.
        case unreachable
        /// The server may not be the one that was meant: its certificate is not trusted.
        case untrusted
        /// The server said no; the status tells how.
        case refused(status: Int)
        /// The bytes do not have the image's digest.
        case corrupt
        /// The local file system said no.
        case file
        /// What the server answered makes no sense.
        case invalidInput
        /// The person who was asked said no.
        case declined
        /// Nobody reads any more what is written.
        case readerGone
    }

    /// What kind of trouble.
    package let kind: Kind
    /// What, where, what to do.
    package let message: String
    /// How long the server asked to wait.
    package let retryAfter: Duration?

    /// An error with every property given.
    package init(_ kind: Kind, _ message: String, retryAfter: Duration? = nil) {
        self.kind = kind
        self.message = message
        self.retryAfter = retryAfter
    }

    /// The message.
    package var description: String { message }

    /// Whether the same may go well a little later.
    var isPassing: Bool {
        switch kind {
        case .unreachable, .refused(status: 502...504), .refused(status: 429): true
        case .untrusted, .refused, .corrupt, .file, .invalidInput, .declined, .readerGone: false
        }
    }
}
