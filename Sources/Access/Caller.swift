/// The sender of a request: user, project and roles.
package struct Caller: Sendable, Hashable {
    /// A role, in the terms of Baton and of Glance's policies.
    package enum Role: String, Sendable, Hashable, CaseIterable {
        /// May view and download.
        case reader
        /// A reader who may also change what the own project owns.
        case member
        /// A reader who may be redirected to locations.
        case trusted
        /// Another service of the cloud, which may see locations.
        case service
        /// May do everything in every project.
        case admin
    }

    /// The user's id, for histories and logs; never a secret.
    package let user: String
    /// The project that the caller acts for; nil for none.
    package let project: String?
    /// The roles; empty for a known caller without any rights.
    package let roles: Set<Role>

    package init(user: String, project: String?, roles: Set<Role>) {
        self.user = user
        self.project = project
        self.roles = roles
    }

    /// Every caller without authentication (`auth.mode: none`).
    package static let everybody = Caller(user: "admin", project: nil, roles: Set(Role.allCases))

    /// A caller who is not authenticated yet and has no rights.
    package static let nobody = Caller(user: "nobody", project: nil, roles: [])

    package var isAdmin: Bool { roles.contains(.admin) }
}

extension Caller.Role {
    /// The roles that this one includes, itself among them.
    package var contained: Set<Caller.Role> {
        switch self {
        case .reader: [.reader]
        case .member: [.member, .reader]
        case .trusted: [.trusted, .reader]
        case .service: [.service, .reader]
        case .admin: Set(Self.allCases)
        }
    }
}

extension Caller {
    /// Whether the caller has a role, directly or through another role that includes it.
    package func has(_ role: Role) -> Bool { roles.contains { $0.contained.contains(role) } }
}
