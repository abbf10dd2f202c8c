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
