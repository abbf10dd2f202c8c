internal import CurlTransfer
internal import FoundationEssentials

/// The requests of Keystone's Identity API v3 that are needed here.
struct KeystoneRequests: Sendable {
    let settings: KeystoneSettings

    /// Asks whose a token is.
    /// - Parameter authority: the token of whoever asks.
    func validation(of token: String, authority: String) -> TransferRequest {
        request(.get, headers: [("X-Auth-Token", authority), ("X-Subject-Token", token)])
    }

    /// Logs the service in; nil when it has no credentials of its own.
    func login() -> TransferRequest? {
        let auth: Login.Auth
        switch settings.credentials {
        case .callersOwn: return nil
        case .password(let user, let userDomain, let password, let project, let projectDomain):
            let named = Login.User(name: user, password: password, domain: .init(name: userDomain))
            auth = .init(
                identity: .init(methods: ["password"], password: .init(user: named)),
                scope: .init(project: .init(name: project, domain: .init(name: projectDomain))))
        case .applicationCredential(let id, let secret):
            auth = .init(
                identity: .init(
                    methods: ["application_credential"], applicationCredential: .init(id: id, secret: secret)))
        }
        guard let body = try? JSONEncoder().encode(Login(auth: auth)) else { return nil }
        return request(
            .send(method: "POST", body: Array(body)), headers: [("Content-Type", "application/json")])
    }

    private func request(_ method: TransferRequest.Method, headers: [(name: String, value: String)]) -> TransferRequest {
        var request = TransferRequest(
            source: .url("\(settings.url)/v3/auth/tokens?nocatalog"), method: method,
            headers: headers + [("Accept", "application/json"), ("User-Agent", "baton")], connectTimeout: settings.timeout)
        request.authorities = settings.authorities
        return request
    }
}

/// The body of `POST /v3/auth/tokens`.
private struct Login: Encodable {
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
