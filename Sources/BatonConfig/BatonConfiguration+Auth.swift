public import NetworkAddress

extension BatonConfiguration {
    /// How it is found out who a caller is.
    public enum AuthMode: String, Sendable, Equatable, CaseIterable {
        /// Everybody is admin, and the server is reachable from this machine only.
        case none
        /// Whoever has a token of a file.
        case tokens
        /// Whoever has a token that Keystone knows.
        case keystone

        /// Whether a server may listen there: where everybody is admin, nobody from outside may come.
        public func allows(_ address: ListenAddress) -> Bool { self != .none || address.isLoopback }
    }

    /// Who a caller is.
    public struct Auth: Sendable, Equatable {
        /// How it is found out.
        public var mode: AuthMode = .none
        /// The file that the mode `tokens` reads; nil in the others.
        public var tokensFile: String?
        /// How Keystone is asked.
        public var keystone = Keystone()
        /// From where callers have the role trusted beside what their token gives them.
        public var trustedNetworks: [IPNetwork] = []
        /// The servers in front of this one that are believed when they say for whom they ask.
        public var trustedProxies: [IPNetwork] = []
    }

    /// How Keystone is asked.
    public struct Keystone: Sendable, Equatable {
        /// Whose token accompanies a question.
        public enum Credentials: Sendable, Equatable {
            /// The caller's own.
            case callersOwn
            /// That of a user with the role service or admin.
            case password(user: String, userDomain: String, password: Secret, project: String, projectDomain: String)
            /// That of an application credential.
            case applicationCredential(id: String, secret: Secret)
        }

        /// Its URL; empty unless the mode is `keystone`.
        public var url = ""
        /// Whose token accompanies a question.
        public var credentials: Credentials = .callersOwn
        /// How long an answer stands.
        public var cache: Duration = .seconds(300)
        /// How long a question may take.
        public var timeout: Duration = .seconds(5)
        /// The certificates that Keystone's is checked with; nil for the system's.
        public var authorities: String?
        /// The name of the role of those who may be sent straight to locations.
        public var trustedRole = "trusted"
    }
}

extension BatonConfiguration.Auth {
    mutating func read(_ section: Section) {
        mode = section.choice("mode", default: mode)
        let file = section.file("tokens_file")
        if mode == .tokens {
            tokensFile = file
            if section.string("tokens_file") == nil {
                section.reject("tokens_file", "is missing; write for example tokens_file: \"/etc/baton/tokens\"")
            }
        }
        keystone.read(section.section("keystone"), isNeeded: mode == .keystone)
        trustedNetworks = section.networks("trusted_networks")
        trustedProxies = section.networks("trusted_proxies")
        section.finish()
    }
}

extension BatonConfiguration.Keystone {
    fileprivate mutating func read(_ section: Section, isNeeded: Bool) {
        readURL(section, isNeeded: isNeeded)
        readCredentials(section)
        cache = section.duration("cache", default: cache, in: .zero ... .seconds(86_400))
        timeout = section.duration("timeout", default: timeout, in: .milliseconds(100) ... .seconds(60))
        authorities = section.file("ca_file")
        trustedRole = section.string("trusted_role", default: trustedRole)
        if trustedRole.isEmpty { section.reject("trusted_role", "is empty; write the role's name") }
        section.finish()
    }

    private mutating func readURL(_ section: Section, isNeeded: Bool) {
        let example = "http://127.0.0.1:5000"
        guard let text = isNeeded ? section.requiredString("url", example: example) : section.string("url") else { return }
        let isWeb = text.hasPrefix("http://") || text.hasPrefix("https://")
        let isLegal = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"@?#\"\\".utf8.contains($0) }
        guard isWeb, isLegal else {
            // A URL with a password in it would be repeated here.
            return section.reject(
                "url", "is no http or https URL without user, query and fragment; write for example \(example)")
        }
        url = text
    }

    private mutating func readCredentials(_ section: Section) {
        let user = section.string("user")
        let userDomain = section.string("user_domain", default: "Default")
        let project = section.string("project")
        let projectDomain = section.string("project_domain", default: "Default")
        let password = section.secret(inFile: "password_file")
        let id = section.string("application_credential_id")
        let secret = section.secret(inFile: "application_credential_secret_file")
        if id != nil, user != nil {
            section.reject("application_credential_id", "stands beside user; keep one of them")
        } else if let id {
            if section.string("application_credential_secret_file") == nil {
                section.reject("application_credential_id", "needs application_credential_secret_file beside it")
            }
            if let secret { credentials = .applicationCredential(id: id, secret: secret) }
        } else if let user {
            if section.string("password_file") == nil { section.reject("user", "needs password_file beside it") }
            guard let project else {
                return section.reject("user", "needs project beside it: the one where it has the role service")
            }
            guard let password else { return }
            credentials = .password(
                user: user, userDomain: userDomain, password: password, project: project, projectDomain: projectDomain)
        } else {
            for key in ["password_file", "project"] where section.string(key) != nil {
                section.reject(key, "needs user beside it")
            }
            if section.string("application_credential_secret_file") != nil {
                section.reject("application_credential_secret_file", "needs application_credential_id beside it")
            }
        }
    }
}
