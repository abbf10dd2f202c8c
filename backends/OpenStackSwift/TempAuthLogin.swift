package import BackendKit
package import CurlTransfer

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
