import ImageModel

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

/// The rule by which callers other than admins may attach locations of a backend.
///
/// A backend's credentials reach more than its callers may see, so naming a path must not be enough to read it. Attaching
/// therefore requires the admin role, unless the backend has a rule for a part of it.
package struct AttachRule: Sendable, Equatable {
    /// The role that a caller needs.
    package let role: Caller.Role
    /// The segments that the path must begin with; empty for the whole backend.
    package let prefix: [String]

    /// - Parameter prefix: a path in the backend, e.g. `uploads/`; leading and trailing slashes are ignored.
    package init(role: Caller.Role, prefix: String) {
        self.role = role
        self.prefix = prefix.pathSegments.filter { !$0.isEmpty }
    }

    /// Whether a caller may attach the location at `path` in the backend.
    /// - Parameter rule: the backend's rule; nil permits admins only.
    package static func permits(_ caller: Caller, path: String, rule: AttachRule?) -> Bool {
        if caller.isAdmin { return true }
        guard let rule, caller.has(rule.role) else { return false }
        let parts = path.pathSegments
        // Keys of an object store may contain dots, which would leave the prefix if the key were treated as a path. With empty
        // segments, `/a/b` would be accepted for `a/b`, which is another key.
        guard !parts.contains("."), !parts.contains(".."), !parts.contains("") else { return false }
        // Compares bytes: canonically equivalent Unicode strings are two different keys.
        return parts.count > rule.prefix.count && parts.starts(with: rule.prefix, by: { $0.utf8.elementsEqual($1.utf8) })
    }
}
