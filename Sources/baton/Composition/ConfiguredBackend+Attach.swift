import BatonConfig
import Identity

// What every driver's section may have beside its own keys.
extension ConfiguredBackend {
    /// Who may attach locations, in the words of the configuration.
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

    /// A reader of a driver's section that reads `attach` as well.
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

    /// - Returns: nil when the section is not there, and admins alone attach.
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
