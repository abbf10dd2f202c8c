import Access
import FoundationEssentials

/// Keystone's description of a valid token.
struct KeystoneToken: Sendable {
    let caller: Caller
    let expires: Date

    /// Parses the body of a response; nil if it is malformed.
    ///
    /// Only a token for a project has roles. As in Glance, the admin of a domain is not an admin here.
    init?(_ body: [UInt8], trustedRole: String) {
        guard let token = try? JSONDecoder().decode(Envelope.self, from: Data(body)).token,
            let expires = UTCTime.parse(token.expiresAt), !token.user.id.isEmpty
        else { return nil }
        let names = token.project == nil ? [] : Set((token.roles ?? []).map { $0.name.lowercased() })
        let roles = Caller.Role.allCases.filter { role in
            names.contains(role == .trusted ? trustedRole.lowercased() : role.rawValue)
        }
        caller = Caller(user: token.user.id, project: token.project?.id, roles: Set(roles))
        self.expires = expires
    }

    private struct Envelope: Decodable {
        let token: Token
    }

    private struct Token: Decodable {
        struct Identified: Decodable {
            let id: String
        }
        struct Named: Decodable {
            let name: String
        }
        let user: Identified
        let project: Identified?
        let roles: [Named]?
        let expiresAt: String

        enum CodingKeys: String, CodingKey {
            case user, project, roles
            case expiresAt = "expires_at"
        }
    }
}
