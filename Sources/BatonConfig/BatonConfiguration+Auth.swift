package import NetworkAddress

extension BatonConfiguration {
    /// How it is found out who a caller is.
    package enum AuthMode: String, Sendable, Equatable, CaseIterable {
        /// Everybody is admin, and the server is reachable from this machine only.
        case none
        /// Whoever has a token of a file.
        case tokens
        /// Whoever has a token that Keystone knows.
        case keystone

        /// Whether a server may listen there: where everybody is admin, nobody from outside may come.
        package func allows(_ address: ListenAddress) -> Bool { self != .none || address.isLoopback }
    }

    /// Who a caller is.
    package struct Auth: Sendable, Equatable {
        /// How it is found out.
        package var mode: AuthMode = .none
        /// The file that the mode `tokens` reads; nil in the others.
        package var tokensFile: String?
        /// How Keystone is asked.
        package var keystone = Keystone()
        /// From where callers have the role trusted beside what their token gives them.
        package var trustedNetworks: [IPNetwork] = []
        /// The servers in front of this one that are believed when they say for whom they ask.
        package var trustedProxies: [IPNetwork] = []
    }

    /// How Keystone is asked.
    package struct Keystone: Sendable, Equatable {
        /// Whose token accompanies a question.
        package enum Credentials: Sendable, Equatable {
            /// The caller's own.
            case callersOwn
            /// That of a user with the role service or admin.
            case password(user: String, userDomain: String, password: Secret, project: String, projectDomain: String)
            /// That of an application credential.
            case applicationCredential(id: String, secret: Secret)
        }

        /// Its URL; empty unless the mode is `keystone`.
        package var url = ""
        /// Whose token accompanies a question.
        package var credentials: Credentials = .callersOwn
        /// How long an answer stands.
        package var cache: Duration = .seconds(300)
        /// How long a question may take.
        package var timeout: Duration = .seconds(5)
        /// How many unknown tokens one client address may send a minute; 0 for any number.
        package var guesses = 60
        /// The certificates that Keystone's is checked with; nil for the system's.
        package var authorities: String?
        /// The name of the role of those who may be sent straight to locations.
        package var trustedRole = "trusted"
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
        if trustedNetworks.contains(where: \.isVast) {
            section.warn(
                "trusted_networks",
                "holds addresses of the whole internet: whoever reaches the server has the role trusted, and is told where images lie"
            )
        }
        trustedProxies = section.networks("trusted_proxies")
        if trustedProxies.contains(where: \.isVast) {
            section.warn(
                "trusted_proxies", "holds addresses of the whole internet: whoever reaches the server is believed to be anybody"
            )
        }
        section.finish()
    }
}

extension BatonConfiguration.Keystone {
    fileprivate mutating func read(_ section: Section, isNeeded: Bool) {
        url = section.keystoneURL(isNeeded: isNeeded) ?? url
        credentials = section.keystoneCredentials() ?? credentials
        cache = section.duration("cache", default: cache, in: .zero ... .seconds(86_400))
        timeout = section.duration("timeout", default: timeout, in: .milliseconds(100) ... .seconds(60))
        guesses = section.integer("guesses", default: guesses, in: 0...1_000_000)
        authorities = section.file("ca_file")
        trustedRole = section.string("trusted_role", default: trustedRole)
        if trustedRole.isEmpty { section.reject("trusted_role", "is empty; write the role's name") }
        section.finish()
    }
}
