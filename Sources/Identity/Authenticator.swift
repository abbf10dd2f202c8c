package import NetworkAddress

/// Finds out who sends a token.
package protocol Authenticator: Sendable {
    /// What a refused client is told to do: the value of `WWW-Authenticate` (RFC 9110 section 11.6.1).
    var challenge: String { get }

    /// The caller who has this token.
    /// - Parameters:
    ///   - token: as it was sent; nil when none was.
    ///   - client: from where it was sent; nil if nobody knows.
    func caller(of token: String?, from client: IPAddress?) async throws(AuthenticationRefusal) -> Caller
}

extension Authenticator {
    /// The caller who has this token, wherever it was sent from.
    package func caller(of token: String?) async throws(AuthenticationRefusal) -> Caller {
        try await caller(of: token, from: nil)
    }
}

/// Asks nobody (`auth.mode: none`).
package struct AdmitsEverybody: Authenticator {
    /// Never sent: nobody is refused.
    package let challenge = "Bearer realm=\"baton\""

    /// Ready as it is.
    package init() {}

    /// Everybody, whatever token they send.
    package func caller(of token: String?, from client: IPAddress?) async throws(AuthenticationRefusal) -> Caller { .everybody }
}
