import FoundationEssentials

/// What is sent to the backend's own server, and to no other: who we are, and further header fields.
///
/// Whoever prints it sees the names of the fields, and no more.
package struct OriginCredentials: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Who we are.
    package enum Identity: Sendable {
        /// A name and a password (RFC 7617).
        case basic(user: String, password: String)
        /// A token (RFC 6750).
        case bearer(String)
    }

    let fields: [(name: String, value: String)]

    /// - Parameters:
    ///   - identity: nil for a server that asks nobody who they are.
    ///   - fields: further header fields, whose values are secrets.
    package init(identity: Identity? = nil, fields: [(name: String, value: String)] = []) {
        let authorization: String? =
            switch identity {
            case .basic(let user, let password): "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
            case .bearer(let token): "Bearer \(token)"
            case nil: nil
            }
        self.fields = (authorization.map { [(name: "Authorization", value: $0)] } ?? []) + fields
    }

    /// Whether there is nothing to send.
    package var isEmpty: Bool { fields.isEmpty }

    /// The names of the fields.
    package var description: String { fields.map(\.name).joined(separator: ", ") }
    /// The names of the fields.
    package var debugDescription: String { description }
    /// Nothing to look into.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
