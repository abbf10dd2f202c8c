import BackendKit
import CurlTransfer

/// An access key with its secret, and a session token for temporary credentials.
///
/// Printing, debugging and reflection show the access key only, which is a name.
package struct S3Credentials: Sendable, Undisclosed {
    package let accessKey: String
    let secretKey: String
    let sessionToken: String?

    package init(accessKey: String, secretKey: String, sessionToken: String? = nil) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
    }

    package var description: String { "\(accessKey) (secret)" }
}
