import Access
import BatonConfig

// The section `attach`, which every driver has.
extension ConfiguredBackend {
    /// The roles that may attach locations, as spelled in the configuration.
    private enum AttachRole: String, CaseIterable {
        case member, trusted, service, admin

        var role: Caller.Role {
            switch self {
            case .member: .member
            case .trusted: .trusted
            case .service: .service
            case .admin: .admin
            }
        }
    }

    /// Extends a driver's reader by the section `attach`.
    static func withAttach(
        _ read: @escaping ConfigurationFile<ConfiguredBackend>.ReadBackend
    ) -> ConfigurationFile<ConfiguredBackend>.ReadBackend {
        { section, configuration in
            let rule = attachRule(section.settings.section("attach"))
            var backend = read(section, configuration)
            backend?.attach = rule
            return backend
        }
    }

    /// - Returns: nil if the section is missing, so that only admins attach locations.
    private static func attachRule(_ section: Section) -> AttachRule? {
        let prefix = section.string("prefix")
        guard section.string("role") != nil || prefix != nil else {
            section.finish()
            return nil
        }
        _ = section.requiredString("role", example: "member")
        let role = section.choice("role", default: AttachRole.admin)
        if prefix?.split(separator: "/").contains(where: { $0 == "." || $0 == ".." }) == true {
            section.reject("prefix", "has a dot segment; write the path without it")
        }
        section.finish()
        return AttachRule(role: role.role, prefix: prefix ?? "")
    }
}
