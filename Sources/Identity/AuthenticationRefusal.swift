/// Why a token lets nobody in; one sentence for a person, which never holds the token.
package enum AuthenticationRefusal: Error, Sendable, Equatable, CustomStringConvertible {
    /// There is none.
    case missing
    /// Nobody has it, or it was revoked.
    case unknown
    /// Its time is over.
    case expired
    /// Nobody can tell now; asking again after a while may help.
    case unavailable(retryAfter: Duration)
    /// The client sent too many tokens that nobody has; this one was not looked at.
    case tooManyGuesses(retryAfter: Duration)

    /// What, and what to do.
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
