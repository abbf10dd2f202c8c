/// How Keystone is asked about tokens.
package struct KeystoneSettings: Sendable {
    /// Whose token accompanies the question.
    package enum Credentials: Sendable {
        /// The caller's own: everybody may have their own token checked.
        case callersOwn
        /// That of a user with the role service or admin.
        case password(user: String, userDomain: String, password: String, project: String, projectDomain: String)
        /// That of an application credential with the role service or admin.
        case applicationCredential(id: String, secret: String)
    }

    /// Keystone's URL, without `/v3` and without a slash at its end.
    package let url: String
    /// Whose token accompanies the question.
    package let credentials: Credentials
    /// The certificates that Keystone's is checked with; nil for the system's.
    package let authorities: String?
    /// How long one exchange may take.
    package let timeout: Duration
    /// The name of the role that is `Caller.Role.trusted` here.
    package let trustedRole: String

    /// Settings with every property given.
    /// - Parameter url: with or without `/v3` or a slash at its end.
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
