package import BackendKit
package import CurlTransfer
import FoundationEssentials
import ImageModel

/// Reads objects from a web server by ranged GETs (RFC 9110 section 14).
package struct HTTPDriver: Driver {
    private let base: LocationURL
    private let connectTimeout: Duration
    private let access: OriginAccess
    private let credentialFields: OriginCredentials
    private let redirects: RedirectRule

    /// Creates a driver for the server at `base`.
    /// - Parameters:
    ///   - credentials: sent to that server only.
    ///   - redirects: the prefixes that redirects may lead to; empty to follow none.
    package init(
        base: LocationURL, connectTimeout: Duration, access: OriginAccess = OriginAccess(),
        credentials: OriginCredentials = OriginCredentials(), redirects: [LocationURL] = []
    ) {
        self.base = base
        self.connectTimeout = connectTimeout
        self.access = access
        self.credentialFields = credentials
        self.redirects = RedirectRule(allowed: redirects)
    }

    /// Ranges of any length.
    package var capabilities: Capabilities { Capabilities() }

    /// A GET with the requested Range.
    package func transferRequest(for read: ReadRequest) -> TransferRequest {
        let text = url(of: read.path)
        guard let url = try? LocationURL(text) else { return request(text, at: base, for: read) }
        return follow(RedirectRule.Target(url: url, text: url.description), for: read, hops: 0)
    }

    /// Interprets the status and the header fields.
    package func inspect(_ head: ResponseHead, of read: ReadRequest) -> Result<ObjectHead, AttemptFailure> {
        if (300...399).contains(head.status), !redirects.allowed.isEmpty {
            let rule = "its target is not in allow_redirects_to, or it is the \(RedirectRule.limit + 1)th in a row"
            return .failure(AttemptFailure(.redirect, .location, detail: "answered with status \(head.status): \(rule)"))
        }
        if head.status == 407, access.proxy != nil {
            return .failure(AttemptFailure(.denied, .credentials, detail: "the proxy does not accept its user or password"))
        }
        return RangedAnswer(head).object(for: read)
    }

    /// The plain URL, which does not expire; nil if the server requires credentials.
    package func directURL(for path: String, lifetime: Duration) -> String? { isOpen ? url(of: path) : nil }

    /// Whether the server can be read without credentials.
    private var isOpen: Bool { credentialFields.isEmpty && access.clientCertificate == nil }

    package var hasExpiringDirectURLs: Bool { false }

    private func url(of path: String) -> String { "\(base)/\(LocationURL.encode(path: path))" }

    /// A request that follows redirects as far as the rule allows.
    private func follow(_ target: RedirectRule.Target, for read: ReadRequest, hops: Int) -> TransferRequest {
        var request = request(target.text, at: target.url, for: read)
        if !redirects.allowed.isEmpty {
            request.redirect = { [self] head in
                redirects.target(of: head, from: target.url, hops: hops).map { follow($0, for: read, hops: hops + 1) }
            }
        }
        return request
    }

    /// The same read at one URL. Only the backend's own server receives credentials.
    private func request(_ text: String, at url: LocationURL, for read: ReadRequest) -> TransferRequest {
        let isOwn = url.hasOrigin(of: base)
        var request = TransferRequest(
            source: .url(text), range: read.range.map { $0.first...$0.last },
            headers: [UserAgent.field] + (isOwn ? credentialFields.fields : []), connectTimeout: connectTimeout,
            isFresh: read.isFresh)
        access.apply(to: &request, host: url.host, isOwn: isOwn)
        return request
    }
}

/// The credentials and additional header fields that are sent to the backend's own server only.
///
/// Printing, debugging and reflection show the names of the fields only.
package struct OriginCredentials: Sendable, Undisclosed {
    /// The credentials of the Authorization field.
    package enum Identity: Sendable {
        /// A user name and a password (RFC 7617).
        case basic(user: String, password: String)
        /// A bearer token (RFC 6750).
        case bearer(String)
    }

    let fields: [(name: String, value: String)]

    /// - Parameters:
    ///   - identity: nil for a server without authentication.
    ///   - fields: additional header fields, whose values are secrets.
    package init(identity: Identity? = nil, fields: [(name: String, value: String)] = []) {
        let authorization: String? =
            switch identity {
            case .basic(let user, let password): "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
            case .bearer(let token): "Bearer \(token)"
            case nil: nil
            }
        self.fields = (authorization.map { [(name: "Authorization", value: $0)] } ?? []) + fields
    }

    package var isEmpty: Bool { fields.isEmpty }

    package var description: String { fields.map(\.name).joined(separator: ", ") }
}
