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
            reject("url", "is no http or https URL without user, query and fragment; write for example \(example)")
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
            reject("application_credential_id", "stands beside user; keep one of them")
            return nil
        }
        if let id {
            requireSecret("application_credential_secret", beside: "application_credential_id")
            return secret.map { .applicationCredential(id: id, secret: $0) }
        }
        if let user {
            requireSecret("password", beside: "user")
            guard let project else {
                reject("user", "needs project beside it: the one where it has its role")
                return nil
            }
            return password.map {
                .password(user: user, userDomain: userDomain, password: $0, project: project, projectDomain: projectDomain)
            }
        }
        for key in ["password_file", "password_env", "project"] where string(key) != nil {
            reject(key, "needs user beside it")
        }
        for key in ["application_credential_secret_file", "application_credential_secret_env"] where string(key) != nil {
            reject(key, "needs application_credential_id beside it")
        }
        return nil
    }
}
