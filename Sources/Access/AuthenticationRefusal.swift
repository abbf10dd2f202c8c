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

    /// The problem and the remedy.
    package var description: String {
        switch self {
        case .missing: "This request needs a token: send one as X-Auth-Token or as Authorization: Bearer."
        case .unknown: "The token is not known: it has a typing error, or it was revoked. Send another."
        case .expired: "The token has expired. Send a new one."
        case .unavailable: "The token can't be checked now, because the identity service does not answer. Try again later."
        case .tooManyGuesses: "Too many unknown tokens came from this address. Try again later."
        }
    }
}
