package import CurlTransfer
import FoundationEssentials

/// A log-in at Keystone (Identity API v3, `POST /v3/auth/tokens`). Its request contains the password and must not be logged.
package struct KeystoneLogin: Sendable {
    private let settings: KeystoneSettings
    private let body: [UInt8]

    /// Creates a log-in with the credentials of the settings; nil if there are none.
    package init?(_ settings: KeystoneSettings) {
        let auth: Body.Auth
        switch settings.credentials {
        case .callersOwn: return nil
        case .password(let user, let userDomain, let password, let project, let projectDomain):
            let named = Body.User(name: user, password: password, domain: .init(name: userDomain))
            auth = .init(
                identity: .init(methods: ["password"], password: .init(user: named)),
                scope: .init(project: .init(name: project, domain: .init(name: projectDomain))))
        case .applicationCredential(let id, let secret):
            auth = .init(
                identity: .init(
                    methods: ["application_credential"], applicationCredential: .init(id: id, secret: secret)))
        }
        guard let body = try? JSONEncoder().encode(Body(auth: auth)) else { return nil }
        self.settings = settings
        self.body = Array(body)
    }

    /// The log-in request. A successful response has status 201, the token in the field `X-Subject-Token`, and its description
    /// in the body.
    /// - Parameter withCatalog: whether the description includes the service catalogue.
    package func request(withCatalog: Bool) -> TransferRequest {
        settings.tokenRequest(
            .send(method: "POST", body: body), headers: [("Content-Type", "application/json")], withCatalog: withCatalog)
    }
}

extension KeystoneSettings {
    func tokenRequest(
        _ method: TransferRequest.Method, headers: [(name: String, value: String)], withCatalog: Bool
    ) -> TransferRequest {
        var request = TransferRequest(
            source: .url("\(url)/v3/auth/tokens\(withCatalog ? "" : "?nocatalog")"), method: method,
            headers: headers + [("Accept", "application/json"), UserAgent.field], connectTimeout: timeout)
        request.authorities = authorities
        return request
    }
}

private struct Body: Encodable {
    struct Domain: Encodable {
        let name: String
    }
    struct User: Encodable {
        let name: String
        let password: String
        let domain: Domain
    }
    struct Password: Encodable {
        let user: User
    }
    struct ApplicationCredential: Encodable {
        let id: String
        let secret: String
    }
    struct Identity: Encodable {
        let methods: [String]
        var password: Password?
        var applicationCredential: ApplicationCredential?

        enum CodingKeys: String, CodingKey {
            case methods, password
            case applicationCredential = "application_credential"
        }
    }
    struct Project: Encodable {
        let name: String
        let domain: Domain
    }
    struct Scope: Encodable {
        let project: Project
    }
    struct Auth: Encodable {
        let identity: Identity
        var scope: Scope?
    }
    let auth: Auth
}

/// The connection to Keystone.
package struct KeystoneSettings: Sendable {
    /// The credentials that accompany a validation request.
    package enum Credentials: Sendable {
        /// The caller's own token: any user may validate their own token.
        case callersOwn
        /// A user with the role service or admin.
        case password(user: String, userDomain: String, password: String, project: String, projectDomain: String)
        /// An application credential with the role service or admin.
        case applicationCredential(id: String, secret: String)
    }

    /// The URL of Keystone, without `/v3` and without a trailing slash.
    package let url: String
    package let credentials: Credentials
    /// The path of a PEM file with certificate authorities for Keystone; nil for the system's.
    package let authorities: String?
    /// The timeout of one exchange.
    package let timeout: Duration
    /// The name of the role that maps to `Caller.Role.trusted`.
    package let trustedRole: String

    /// - Parameter url: the URL, with or without `/v3` or a trailing slash.
    package init(
        url: String, credentials: Credentials, timeout: Duration, authorities: String?, trustedRole: String = "trusted"
    ) {
        var url = url[...]
        while url.hasSuffix("/") { url = url.dropLast() }
        if url.hasSuffix("/v3") { url = url.dropLast(3) }
        self.url = String(url)
        self.credentials = credentials
        self.timeout = timeout
        self.authorities = authorities
        self.trustedRole = trustedRole
    }
}
