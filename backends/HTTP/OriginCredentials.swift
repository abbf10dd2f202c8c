import CurlTransfer
import FoundationEssentials

/// The credentials and additional header fields that are sent to the backend's own server only.
///
/// Printing, debugging and reflection show the names of the fields only.
package struct OriginCredentials: Sendable, Undisclosed {
    /// The credentials of the Authorization field.
    package enum Identity: Sendable {
        /// A user name and a password (RFC 7617).
        case basic(user: String, password: String)
        /// A bearer token (RFC 6750).
        case bearer(String)
    }

    let fields: [(name: String, value: String)]

    /// - Parameters:
    ///   - identity: nil for a server without authentication.
    ///   - fields: additional header fields, whose values are secrets.
    package init(identity: Identity? = nil, fields: [(name: String, value: String)] = []) {
        let authorization: String? =
            switch identity {
            case .basic(let user, let password): "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
            case .bearer(let token): "Bearer \(token)"
            case nil: nil
            }
        self.fields = (authorization.map { [(name: "Authorization", value: $0)] } ?? []) + fields
    }

    package var isEmpty: Bool { fields.isEmpty }

    package var description: String { fields.map(\.name).joined(separator: ", ") }
}
