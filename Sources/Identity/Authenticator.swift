/// Finds out who sends a token.
public protocol Authenticator: Sendable {
    /// What a refused client is told to do: the value of `WWW-Authenticate` (RFC 9110 section 11.6.1).
    var challenge: String { get }

    /// The caller who has this token.
    /// - Parameter token: as it was sent; nil when none was.
    func caller(of token: String?) async throws(AuthenticationRefusal) -> Caller
}

/// Asks nobody (`auth.mode: none`).
public struct AdmitsEverybody: Authenticator {
    /// Never sent: nobody is refused.
    public let challenge = "Bearer realm=\"baton\""

    /// Ready as it is.
    public init() {}

    /// Everybody, whatever token they send.
    public func caller(of token: String?) async throws(AuthenticationRefusal) -> Caller { .everybody }
}
