import BackendKit
import CurlTransfer

/// What a log-in gives: where the account is, and a token that opens it for a while.
package struct OpenStackSwiftSession: Sendable, Undisclosed {
    /// The account's URL, which its containers lie below.
    let account: LocationURL
    /// The token, in printable ASCII, so that it can be a header field.
    let token: String
    /// How long the token is valid from the response on; nil if unknown.
    let lifetime: Duration?

    /// - Throws: `AttemptFailure` if the token can't be sent, or would be sent without TLS although it was fetched with TLS.
    init(account: LocationURL, token: String, lifetime: Duration?, fetchedFrom login: String) throws(AttemptFailure) {
        guard (1...16_384).contains(token.utf8.count), token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw AttemptFailure(
                .protocolViolation, .backend, detail: "the log-in was answered with a token that can't be sent")
        }
        guard account.scheme == "https" || !login.lowercased().hasPrefix("https:") else {
            throw AttemptFailure(
                .tls, .backend,
                detail: "the log-in is over https and names a store over http, where the token could be read: set storage_url")
        }
        self.account = account
        self.token = token
        self.lifetime = lifetime
    }

    package var description: String { "\(account) (secret)" }
}
