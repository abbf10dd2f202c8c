/// A proxy that connections go through: plain requests for `http` (RFC 9110 section 7.6), a tunnel for `https` (CONNECT).
///
/// Whoever prints it sees its URL, and no more.
public struct Proxy: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Its `http` URL, without credentials.
    public let url: String
    /// Its host as the URL has it, an IPv6 address in brackets.
    public let host: String
    let credentials: (user: String, password: String)?

    /// - Parameter credentials: shown to the proxy alone; nil if it asks for none.
    public init(url: String, host: String, credentials: (user: String, password: String)?) {
        self.url = url
        self.host = host
        self.credentials = credentials
    }

    /// The URL.
    public var description: String { url }
    /// The URL.
    public var debugDescription: String { url }
    /// Nothing to look into.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
