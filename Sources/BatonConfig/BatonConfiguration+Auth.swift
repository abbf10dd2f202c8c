package import NetworkAddress

extension BatonConfiguration {
    /// The way in which callers are authenticated.
    package enum AuthMode: String, Sendable, Equatable, CaseIterable {
        /// No authentication: every caller is admin, and the server is reachable from this machine only.
        case none
        /// Tokens listed in a file.
        case tokens
        /// Tokens that Keystone validates.
        case keystone

        /// Whether a server may listen at an address. Without authentication it may listen at loopback addresses and socket
        /// files only.
        package func allows(_ address: ListenAddress) -> Bool { self != .none || address.isLoopback }
    }

    package struct Auth: Sendable, Equatable {
        package var mode: AuthMode = .none
        /// The token file of the mode `tokens`; nil in other modes.
        package var tokensFile: String?
        package var keystone = Keystone()
        /// Networks whose callers have the role trusted in addition to the roles of their token.
        package var trustedNetworks: [IPNetwork] = []
        /// Proxies in front of this server whose forwarding headers are trusted.
        package var trustedProxies: [IPNetwork] = []
    }

    /// The connection to Keystone.
    package struct Keystone: Sendable, Equatable {
        /// The credentials that accompany a validation request.
        package enum Credentials: Sendable, Equatable {
            /// The caller's own token.
            case callersOwn
            /// A user with the role service or admin.
            case password(user: String, userDomain: String, password: Secret, project: String, projectDomain: String)
            /// An application credential.
            case applicationCredential(id: String, secret: Secret)
        }

        /// The URL of Keystone; empty unless the mode is `keystone`.
        package var url = ""
        package var credentials: Credentials = .callersOwn
        /// How long a validation is cached.
        package var cache: Duration = .seconds(300)
        /// The timeout of a validation request.
        package var timeout: Duration = .seconds(5)
        /// The number of unknown tokens that one client address may send per minute; 0 for no limit.
        package var guesses = 60
        /// The path of a PEM file with certificate authorities for Keystone; nil for the system's.
        package var authorities: String?
        /// The name of the role whose holders may be redirected to locations.
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
                "contains the whole internet: every client that reaches the server has the role trusted and may get direct URLs"
            )
        }
        trustedProxies = section.networks("trusted_proxies")
        if trustedProxies.contains(where: \.isVast) {
            section.warn(
                "trusted_proxies", "contains the whole internet: every client of the server can claim any address"
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

// The keys for a connection to Keystone, in every section that has one.
extension Section {
    /// The key `url`, the URL of Keystone's Identity API v3; nil if it is missing or invalid.
    package func keystoneURL(isNeeded: Bool) -> String? {
        let example = "http://127.0.0.1:5000"
        guard let text = isNeeded ? requiredString("url", example: example) : string("url") else { return nil }
        let isWeb = text.hasPrefix("http://") || text.hasPrefix("https://")
        let isLegal = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"@?#\"\\".utf8.contains($0) }
        guard isWeb, isLegal else {
            // The URL may contain a password: the message does not repeat it.
            reject("url", "is not an http or https URL without user, query and fragment; write for example \(example)")
            return nil
        }
        return text
    }

    /// A user with password and project, or an application credential; nil if there is neither, or if a key is invalid.
    package func keystoneCredentials() -> BatonConfiguration.Keystone.Credentials? {
        let user = string("user")
        let userDomain = string("user_domain", default: "Default")
        let project = string("project")
        let projectDomain = string("project_domain", default: "Default")
        let password = secret("password")
        let id = string("application_credential_id")
        let secret = secret("application_credential_secret")
        guard id == nil || user == nil else {
            reject("application_credential_id", "can't be combined with user; keep one of them")
            return nil
        }
        if let id {
            requireSecret("application_credential_secret", beside: "application_credential_id")
            return secret.map { .applicationCredential(id: id, secret: $0) }
        }
        if let user {
            requireSecret("password", beside: "user")
            guard let project else {
                reject("user", "needs project, the project in which the user has its role")
                return nil
            }
            return password.map {
                .password(user: user, userDomain: userDomain, password: $0, project: project, projectDomain: projectDomain)
            }
        }
        for key in ["password_file", "password_env", "project"] where string(key) != nil {
            reject(key, "needs user")
        }
        for key in ["application_credential_secret_file", "application_credential_secret_env"] where string(key) != nil {
            reject(key, "needs application_credential_id")
        }
        return nil
    }
}
