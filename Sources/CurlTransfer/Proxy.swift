/// A proxy that connections go through: plain requests for `http` (RFC 9110 section 7.6), a tunnel for `https` (CONNECT).
///
/// Whoever prints it sees its URL, and no more.
package struct Proxy: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Its `http` URL, without credentials.
    package let url: String
    /// Its host as the URL has it, an IPv6 address in brackets.
    package let host: String
    let credentials: (user: String, password: String)?

    /// - Parameter credentials: shown to the proxy alone; nil if it asks for none.
    package init(url: String, host: String, credentials: (user: String, password: String)?) {
        self.url = url
        self.host = host
        self.credentials = credentials
    }

    /// The URL.
    package var description: String { url }
    /// The URL.
    package var debugDescription: String { url }
    /// Nothing to look into.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
