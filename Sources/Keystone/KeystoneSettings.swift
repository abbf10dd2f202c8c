/// The connection to Keystone.
package struct KeystoneSettings: Sendable {
    /// The credentials that accompany a validation request.
    package enum Credentials: Sendable {
        /// The caller's own token: any user may validate their own token.
        case callersOwn
        /// A user with the role service or admin.
        case password(user: String, userDomain: String, password: String, project: String, projectDomain: String)
        /// An application credential with the role service or admin.
        case applicationCredential(id: String, secret: String)
    }

    /// The URL of Keystone, without `/v3` and without a trailing slash.
    package let url: String
    package let credentials: Credentials
    /// The path of a PEM file with certificate authorities for Keystone; nil for the system's.
    package let authorities: String?
    /// The timeout of one exchange.
    package let timeout: Duration
    /// The name of the role that maps to `Caller.Role.trusted`.
    package let trustedRole: String

    /// - Parameter url: the URL, with or without `/v3` or a trailing slash.
    package init(
        url: String, credentials: Credentials, timeout: Duration, authorities: String?, trustedRole: String = "trusted"
    ) {
        var url = url[...]
        while url.hasSuffix("/") { url = url.dropLast() }
        if url.hasSuffix("/v3") { url = url.dropLast(3) }
        self.url = String(url)
        self.credentials = credentials
        self.timeout = timeout
        self.authorities = authorities
        self.trustedRole = trustedRole
    }
}
