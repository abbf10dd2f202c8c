package import NetworkAddress

/// A driver's description of a transfer: one exchange with one server, or one read of one file.
package struct TransferRequest: Sendable {
    /// The source of the bytes.
    package enum Source: Sendable {
        /// An `http` or `https` URL, percent-encoded and without credentials.
        case url(String)
        /// A file, read by libcurl on a worker thread.
        case file(FileSource)
    }

    package enum Method: Sendable {
        case get
        case head
        /// Any other method, with a body that may be empty.
        case send(method: String, body: [UInt8])
    }

    package var source: Source
    /// The HTTP method; `get` for files.
    package var method: Method
    /// The offsets of the first and last byte; nil requests everything and sends no Range.
    package var range: ClosedRange<Int64>?
    /// Additional header fields.
    package var headers: [(name: String, value: String)]
    /// The timeout for connecting.
    package var connectTimeout: Duration
    /// Whether to use a new connection and bypass caches, for the second read of a suspect location.
    package var isFresh: Bool
    /// The path of a PEM file with certificate authorities that replace the system's; nil for the system's.
    package var authorities: String?
    /// The certificate that is sent on request; nil for none.
    package var clientCertificate: ClientCertificate?
    /// The proxy; nil for none, whatever the environment says.
    package var proxy: Proxy?
    /// The socket file to connect to instead of the URL's host; nil for none.
    package var socketFile: String?
    /// The policy for addresses; nil allows any address, for callers that name the server themselves.
    package var addresses: AddressPolicy?
    /// Returns the request to follow after a response with that head; nil accepts the response. It is called on the loop's
    /// thread from inside libcurl, so it must be quick. The sink sees the last response only.
    package var redirect: (@Sendable (ResponseHead) -> TransferRequest?)?

    /// Creates a request. Everything but the source defaults to a plain GET.
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

/// The certificate that is sent to a server on request (TLS client authentication).
///
/// Printing, debugging and reflection show the names of the files only.
package struct ClientCertificate: Sendable, Undisclosed {
    /// The path of the PEM file with the certificate, followed by the chain to its root.
    package let certificateFile: String
    /// The path of the PEM file with the private key.
    package let keyFile: String
    let passphrase: String?

    /// - Parameter passphrase: the passphrase of the key; nil if the key is not encrypted.
    package init(certificateFile: String, keyFile: String, passphrase: String?) {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.passphrase = passphrase
    }

    package var description: String { "\(certificateFile), \(keyFile)" }
}

/// An HTTP proxy: plain requests for `http` (RFC 9110 section 7.6), a tunnel for `https` (CONNECT).
///
/// Printing, debugging and reflection show its URL only.
package struct Proxy: Sendable, Undisclosed {
    /// The proxy's `http` URL, without credentials.
    package let url: String
    /// The host as in the URL, an IPv6 address in brackets.
    package let host: String
    let credentials: (user: String, password: String)?

    /// - Parameter credentials: sent to the proxy alone; nil if it requires none.
    package init(url: String, host: String, credentials: (user: String, password: String)?) {
        self.url = url
        self.host = host
        self.credentials = credentials
    }

    package var description: String { url }
}

/// Identifies a running transfer. Never reused within a process.
package struct TransferID: Sendable, Hashable {
    let number: UInt64
}
