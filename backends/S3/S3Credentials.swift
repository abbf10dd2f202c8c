import BackendKit

/// What lets us in: an access key with its secret, and the token of a session if they are temporary.
///
/// Whoever prints it sees the access key, which is a name, and no more.
package struct S3Credentials: Sendable, Undisclosed {
    /// The name of the key.
    package let accessKey: String
    let secretKey: String
    let sessionToken: String?

    /// Credentials with every property given.
    package init(accessKey: String, secretKey: String, sessionToken: String? = nil) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
    }

    /// The access key alone.
    package var description: String { "\(accessKey) (secret)" }
}
