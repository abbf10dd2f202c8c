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
    /// The caller to whom a token belongs, without a client address.
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

/// The reason why a token is refused; one sentence for a person, without the token.
package enum AuthenticationRefusal: Error, Sendable, Equatable, CustomStringConvertible {
    /// The request has no token.
    case missing
    /// The token does not exist, or it was revoked.
    case unknown
    /// The token has expired.
    case expired
    /// The token can't be validated now; a retry after a while may succeed.
    case unavailable(retryAfter: Duration)
    /// The client sent too many unknown tokens; this one was not validated.
    case tooManyGuesses(retryAfter: Duration)

    /// One sentence with the problem and the remedy.
    package var description: String {
        switch self {
        case .missing: "This request needs a token: send one as X-Auth-Token or as Authorization: Bearer."
        case .unknown: "The token is unknown: it is misspelled, or it was revoked. Send another."
        case .expired: "The token has expired. Send a new one."
        case .unavailable: "The token can't be checked now, because the identity service does not answer. Try again later."
        case .tooManyGuesses: "Too many unknown tokens came from this address. Try again later."
        }
    }
}
