/// What a driver asks a transfer to do: one exchange with one server, or one read of one file.
package struct TransferRequest: Sendable {
    /// Where the bytes come from.
    package enum Source: Sendable {
        /// An `http` or `https` URL, ready for the wire (percent-encoded, no credentials in it).
        case url(String)
        /// A file, read by libcurl on a worker thread.
        case file(FileSource)
    }

    /// The HTTP method.
    package enum Method: Sendable {
        /// Fetches.
        case get
        /// Asks for the head alone.
        case head
        /// Any other method, with a body that may be empty.
        case send(method: String, body: [UInt8])
    }

    /// Where the bytes come from.
    package var source: Source
    /// The HTTP method; files know `get` only.
    package var method: Method
    /// The offsets of the first and last byte wanted; nil asks for everything and sends no Range.
    package var range: ClosedRange<Int64>?
    /// Further header fields, as name and value.
    package var headers: [(name: String, value: String)]
    /// How long a connection may take to come about.
    package var connectTimeout: Duration
    /// Whether to open a new connection and to leave no cache on the way an excuse: the second read of an suspect location.
    package var isFresh: Bool
    /// A file of certificates to check the server's with, in place of the system's; nil for those.
    package var authorities: String?
    /// What is shown to a server that asks for a certificate; nil for nothing.
    package var clientCertificate: ClientCertificate?
    /// The proxy to go through; nil for none, whatever the environment says.
    package var proxy: Proxy?
    /// The socket file to connect to in place of the URL's host; nil for none.
    package var socketFile: String?
    /// Which addresses may be connected to; nil for any, where whoever asks names the server.
    package var addresses: AddressPolicy?
    /// What to ask instead after an answer with that head; nil takes the answer. It decides on the loop's thread, from inside
    /// libcurl, so it must be quick. The sink of the transfer sees the last answer alone.
    package var redirect: (@Sendable (ResponseHead) -> TransferRequest?)?

    /// A request; everything but the source has the value of a plain GET.
    package init(
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
