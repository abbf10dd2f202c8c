/// How the server is exposed to clients: cross-origin access and its public URL. `ServerLimits` has the limits.
package struct ServerExposure: Sendable {
    /// The origins that may use the server from a browser.
    let origins: AllowedOrigins
    /// The URL under which clients reach the server, for links; nil to take it from each request.
    let publicURL: String?
    /// Rejects requests from web pages; nil where callers authenticate.
    let browsers: BrowserGuard?

    /// - Parameters:
    ///   - corsOrigins: the origins that may use the server from a browser; `*` for all.
    ///   - publicURL: the URL under which clients reach the server, for links; nil to take it from each request.
    ///   - isOpenToEverybody: whether the server has no authentication, so that web pages must be kept out.
    ///   - host: the name or address the server listens on; nil for a socket file.
    package init(corsOrigins: [String], publicURL: String?, isOpenToEverybody: Bool, host: String?) {
        origins = AllowedOrigins(corsOrigins)
        self.publicURL = publicURL
        browsers =
            isOpenToEverybody ? BrowserGuard(host: host, origins: AllowedOrigins(corsOrigins), publicURL: publicURL) : nil
    }
}
