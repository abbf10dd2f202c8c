/// Who sent a request, as far as it matters to what they may do.
package struct Caller: Sendable, Hashable {
    /// What a caller may do, in the words of Baton and of Glance's policies.
    package enum Role: String, Sendable, Hashable, CaseIterable {
        /// Looks and downloads.
        case reader
        /// Reader, and changes what their own project has.
        case member
        /// Reader, and is sent straight to locations.
        case trusted
        /// Another service of the cloud, which may see locations.
        case service
        /// Everything, in every project.
        case admin
    }

    /// The user's id, for histories and logs; never a secret.
    package let user: String
    /// The project they act for; nil if they act for none.
    package let project: String?
    /// What they may do. Empty for somebody who is known and may nothing.
    package let roles: Set<Role>

    /// A caller with every property given.
    package init(user: String, project: String?, roles: Set<Role>) {
        self.user = user
        self.project = project
        self.roles = roles
    }

    /// Everybody, where nobody is asked who they are (`auth.mode: none`).
    package static let everybody = Caller(user: "admin", project: nil, roles: Set(Role.allCases))

    /// Who has not been asked yet, and may nothing.
    package static let nobody = Caller(user: "nobody", project: nil, roles: [])

    /// Whether they may do everything.
    package var isAdmin: Bool { roles.contains(.admin) }
}
