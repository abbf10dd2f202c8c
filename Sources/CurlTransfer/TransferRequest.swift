/// What a driver asks a transfer to do: one exchange with one server, or one read of one file.
public struct TransferRequest: Sendable {
    /// Where the bytes come from.
    public enum Source: Sendable {
        /// An `http` or `https` URL, ready for the wire (percent-encoded, no credentials in it).
        case url(String)
        /// A file, read by libcurl on a worker thread.
        case file(FileSource)
    }

    /// The HTTP method.
    public enum Method: Sendable {
        /// Fetches.
        case get
        /// Asks for the head alone.
        case head
        /// Any other method, with a body that may be empty.
        case send(method: String, body: [UInt8])
    }

    /// Where the bytes come from.
    public var source: Source
    /// The HTTP method; files know `get` only.
    public var method: Method
    /// The offsets of the first and last byte wanted; nil asks for everything and sends no Range.
    public var range: ClosedRange<Int64>?
    /// Further header fields, as name and value.
    public var headers: [(name: String, value: String)]
    /// How long a connection may take to come about.
    public var connectTimeout: Duration
    /// Whether to open a new connection and to leave no cache on the way an excuse: the second read of an accused location.
    public var isFresh: Bool
    /// A file of certificates to check the server's with, in place of the system's; nil for those.
    public var authorities: String?
    /// What is shown to a server that asks for a certificate; nil for nothing.
    public var clientCertificate: ClientCertificate?
    /// The proxy to go through; nil for none, whatever the environment says.
    public var proxy: Proxy?
    /// The socket file to connect to in place of the URL's host; nil for none.
    public var socketFile: String?
    /// Which addresses may be connected to; nil for any, where whoever asks names the server.
    public var addresses: AddressPolicy?
    /// What to ask instead after an answer with that head; nil takes the answer. It decides on the loop's thread, from inside
    /// libcurl, so it must be quick. The sink of the transfer sees the last answer alone.
    public var redirect: (@Sendable (ResponseHead) -> TransferRequest?)?

    /// A request; everything but the source has the value of a plain GET.
    public init(
        source: Source, method: Method = .get, range: ClosedRange<Int64>? = nil,
        headers: [(name: String, value: String)] = [], connectTimeout: Duration = .seconds(2), isFresh: Bool = false
    ) {
        self.source = source
        self.method = method
        self.range = range
        self.headers = headers
        self.connectTimeout = connectTimeout
        self.isFresh = isFresh
    }
}
