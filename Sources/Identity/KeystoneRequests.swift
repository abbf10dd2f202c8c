import CurlTransfer

/// The requests of Keystone's Identity API v3 that are needed here.
struct KeystoneRequests: Sendable {
    let settings: KeystoneSettings

    /// Asks whose a token is.
    /// - Parameter authority: the token of whoever asks.
    func validation(of token: String, authority: String) -> TransferRequest {
        settings.tokenRequest(
            .get, headers: [("X-Auth-Token", authority), ("X-Subject-Token", token)], withCatalog: false)
    }

    /// Logs the service in; nil when it has no credentials of its own.
    func login() -> TransferRequest? { KeystoneLogin(settings)?.request(withCatalog: false) }
}
