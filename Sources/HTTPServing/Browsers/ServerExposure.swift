/// From where clients come, beside what `ServerLimits` says.
package struct ServerExposure: Sendable {
    /// The web pages that may use the server from a browser.
    let origins: AllowedOrigins
    /// Under which URL clients reach it, for links; nil if it is what requests say.
    let publicURL: String?
    /// What keeps web pages out; nil where callers say who they are.
    let browsers: BrowserGuard?

    /// - Parameters:
    ///   - corsOrigins: the origins of the web pages that may use the server from a browser; `*` for all.
    ///   - publicURL: under which URL clients reach it, for links; nil if it is what requests say.
    ///   - admitsEverybody: whether everybody is let in without a word: then web pages must be kept out.
    ///   - host: the name or address it listens at; nil for a socket file.
    package init(corsOrigins: [String], publicURL: String?, admitsEverybody: Bool, host: String?) {
        origins = AllowedOrigins(corsOrigins)
        self.publicURL = publicURL
        browsers =
            admitsEverybody ? BrowserGuard(host: host, origins: AllowedOrigins(corsOrigins), publicURL: publicURL) : nil
    }
}
