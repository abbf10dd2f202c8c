package import NetworkAddress

/// Determines the caller who sent a token.
package protocol Authenticator: Sendable {
    /// The value of `WWW-Authenticate` for a refused client (RFC 9110 section 11.6.1).
    var challenge: String { get }

    /// The caller to whom a token belongs.
    /// - Parameters:
    ///   - token: the token as sent; nil if none was.
    ///   - client: the address it was sent from; nil if unknown.
    func caller(of token: String?, from client: IPAddress?) async throws(AuthenticationRefusal) -> Caller
}

extension Authenticator {
    /// The caller to whom a token belongs, regardless of the client's address.
    package func caller(of token: String?) async throws(AuthenticationRefusal) -> Caller {
        try await caller(of: token, from: nil)
    }
}

/// Admits every request without authentication (`auth.mode: none`).
package struct AdmitsEverybody: Authenticator {
    /// Never sent, since no request is refused.
    package let challenge = "Bearer realm=\"baton\""

    package init() {}

    /// Returns `.everybody` for any token.
    package func caller(of token: String?, from client: IPAddress?) async throws(AuthenticationRefusal) -> Caller { .everybody }
}
