import CurlTransfer

/// Requests of Keystone's Identity API v3.
struct KeystoneRequests: Sendable {
    let settings: KeystoneSettings

    /// A request that validates a token.
    /// - Parameter authority: the token of the requester.
    func validation(of token: String, authority: String) -> TransferRequest {
        settings.tokenRequest(
            .get, headers: [("X-Auth-Token", authority), ("X-Subject-Token", token)], withCatalog: false)
    }

    /// The log-in request of this service; nil if it has no credentials.
    func login() -> TransferRequest? { KeystoneLogin(settings)?.request(withCatalog: false) }
}
