import Access
package import BackendKit
package import CurlTransfer
import FoundationEssentials
package import Keystone

/// A log-in at Keystone, whose catalogue contains the account's URL.
package struct OpenStackSwiftKeystoneLogin: OpenStackSwiftLogin {
    /// The log-in request. It contains the password and must not be logged.
    package let request: TransferRequest
    private let url: String
    private let wanted: CatalogEntry
    private let account: LocationURL?

    /// Creates a log-in; nil if the settings have no credentials.
    /// - Parameters:
    ///   - settings: the connection to Keystone and the credentials.
    ///   - wanted: the catalogue entry to use.
    ///   - account: the account's URL, instead of the one in the catalogue.
    package init?(_ settings: KeystoneSettings, wanted: CatalogEntry, account: LocationURL?) {
        guard let login = KeystoneLogin(settings) else { return nil }
        request = login.request(withCatalog: account == nil)
        url = settings.url
        self.wanted = wanted
        self.account = account
    }

    /// Reads the token from its header field, and the rest from the token's description.
    package func session(from answer: Exchange.Answer) throws(AttemptFailure) -> OpenStackSwiftSession {
        guard answer.head.status == 201 else {
            throw refusal(answer.head, setting: "keystone.url, the user or the application credential")
        }
        guard let token = answer.head["x-subject-token"],
            let description = try? JSONDecoder().decode(Envelope.self, from: Data(answer.body)).token
        else {
            throw AttemptFailure(.protocolViolation, .backend, detail: "Keystone's response to the log-in is malformed")
        }
        let account =
            if let account { account } else { try wanted.url(in: description.catalog ?? []) }
        return try OpenStackSwiftSession(
            account: account, token: token, lifetime: description.lifetime, fetchedFrom: url)
    }

    private struct Envelope: Decodable {
        let token: Token
    }

    private struct Token: Decodable {
        let issuedAt: String?
        let expiresAt: String?
        let catalog: [CatalogEntry.Service]?

        enum CodingKeys: String, CodingKey {
            case catalog
            case issuedAt = "issued_at"
            case expiresAt = "expires_at"
        }

        /// The lifetime by Keystone's own clock, because the local one may be off.
        var lifetime: Duration? {
            guard let issued = issuedAt.flatMap({ UTCTime.parse($0) }), let expires = expiresAt.flatMap({ UTCTime.parse($0) })
            else { return nil }
            return .seconds(max(0, expires.timeIntervalSince(issued)))
        }
    }
}

/// The log-in of TempAuth, swauth and radosgw ("auth v1.0"): user and key in header fields of the request, account and token in
/// those of the response.
package struct TempAuthLogin: OpenStackSwiftLogin {
    /// The log-in request. It contains the key and must not be logged.
    package let request: TransferRequest
    private let url: String
    private let account: LocationURL?

    /// - Parameters:
    ///   - url: such as `http://store:8080/auth/v1.0`.
    ///   - user: such as `account:user`; without line breaks, as is the key.
    ///   - account: the account's URL, instead of the one in the response.
    ///   - timeout: the timeout for connecting.
    package init(url: String, user: String, key: String, account: LocationURL?, timeout: Duration) {
        request = TransferRequest(
            source: .url(url), headers: [UserAgent.field, ("X-Auth-User", user), ("X-Auth-Key", key)],
            connectTimeout: timeout)
        self.url = url
        self.account = account
    }

    /// Reads the account, the token and its lifetime from the header fields.
    package func session(from answer: Exchange.Answer) throws(AttemptFailure) -> OpenStackSwiftSession {
        let head = answer.head
        guard (200...299).contains(head.status) else { throw refusal(head, setting: "auth_url, user and its key") }
        guard let token = head["x-auth-token"] ?? head["x-storage-token"],
            let account = account ?? head["x-storage-url"].flatMap({ try? LocationURL($0) }), account.scheme != "file"
        else {
            throw AttemptFailure(
                .protocolViolation, .backend,
                detail: "the response to the log-in has no token or no account URL: check auth_url")
        }
        let seconds = head["x-auth-token-expires"].flatMap { Int64($0) }
        return try OpenStackSwiftSession(
            account: account, token: token, lifetime: seconds.map { .seconds(max(0, $0)) }, fetchedFrom: url)
    }
}
