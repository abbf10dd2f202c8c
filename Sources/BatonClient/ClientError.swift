/// Why a command could not be carried out; one sentence for a person.
public struct ClientError: Error, Sendable, CustomStringConvertible {
    /// What kind of trouble; decides the exit code and whether trying again makes sense.
    public enum Kind: Sendable, Equatable {
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
        case nonsense
        /// The person who was asked said no.
        case declined
        /// Nobody reads any more what is written.
        case readerGone
    }

    /// What kind of trouble.
    public let kind: Kind
    /// What, where, what to do.
    public let message: String
    /// How long the server asked to wait.
    public let retryAfter: Duration?

    /// An error with every property given.
    public init(_ kind: Kind, _ message: String, retryAfter: Duration? = nil) {
        self.kind = kind
        self.message = message
        self.retryAfter = retryAfter
    }

    /// The message.
    public var description: String { message }

    /// Whether the same may go well a little later.
    var isPassing: Bool {
        switch kind {
        case .unreachable, .refused(status: 502...504), .refused(status: 429): true
        case .untrusted, .refused, .corrupt, .file, .nonsense, .declined, .readerGone: false
        }
    }
}
