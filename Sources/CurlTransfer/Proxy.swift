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
