import Access
package import BackendKit
package import CurlTransfer
import FoundationEssentials
package import Keystone

/// The log-in at Keystone, whose catalogue says where the account is.
package struct OpenStackSwiftKeystoneLogin: OpenStackSwiftLogin {
    /// What to send.
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

    /// The token from its header field, the rest from the token's description.
    package func session(from answer: Exchange.Answer) throws(AttemptFailure) -> OpenStackSwiftSession {
        guard answer.head.status == 201 else {
            throw refusal(answer.head, setting: "keystone.url, the user or the application credential")
        }
        guard let token = answer.head["x-subject-token"],
            let description = try? JSONDecoder().decode(Envelope.self, from: Data(answer.body)).token
        else {
            throw AttemptFailure(.protocolViolation, .backend, detail: "Keystone's answer to the log-in makes no sense")
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

        /// The lifetime by Keystone's own clock, since the local one may be off.
        var lifetime: Duration? {
            guard let issued = issuedAt.flatMap({ UTCTime.parse($0) }), let expires = expiresAt.flatMap({ UTCTime.parse($0) })
            else { return nil }
            return .seconds(max(0, expires.timeIntervalSince(issued)))
        }
    }
}

/// The log-in of TempAuth, swauth and radosgw ("auth v1.0"): user and key in header fields, account and token in those of the
/// answer.
package struct TempAuthLogin: OpenStackSwiftLogin {
    /// What to send.
    package let request: TransferRequest
    private let url: String
    private let account: LocationURL?

    /// - Parameters:
    ///   - url: e.g. `http://store:8080/auth/v1.0`.
    ///   - user: e.g. `account:user`; like the key without line ends.
    ///   - account: the account's URL, instead of the one in the response.
    ///   - timeout: the timeout for connecting.
    package init(url: String, user: String, key: String, account: LocationURL?, timeout: Duration) {
        request = TransferRequest(
            source: .url(url), headers: [UserAgent.field, ("X-Auth-User", user), ("X-Auth-Key", key)],
            connectTimeout: timeout)
        self.url = url
        self.account = account
    }

    /// Account, token and its lifetime, all from header fields.
    package func session(from answer: Exchange.Answer) throws(AttemptFailure) -> OpenStackSwiftSession {
        let head = answer.head
        guard (200...299).contains(head.status) else { throw refusal(head, setting: "auth_url, user and its key") }
        guard let token = head["x-auth-token"] ?? head["x-storage-token"],
            let account = account ?? head["x-storage-url"].flatMap({ try? LocationURL($0) }), account.scheme != "file"
        else {
            throw AttemptFailure(
                .protocolViolation, .backend,
                detail: "the log-in was answered without a token, or without the URL of an account: look at auth_url")
        }
        let seconds = head["x-auth-token-expires"].flatMap { Int64($0) }
        return try OpenStackSwiftSession(
            account: account, token: token, lifetime: seconds.map { .seconds(max(0, $0)) }, fetchedFrom: url)
    }
}
