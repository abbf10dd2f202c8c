import HTTPTypes
import Hummingbird
import NetworkAddress

/// Protects a server without authentication (`auth.mode: none`) from the web pages that a user of the same machine visits.
///
/// A page can reach such a server through a name of its own that resolves to loopback (DNS rebinding), which shows in `Host`,
/// or with a cross-site request, which shows in `Origin` and `Sec-Fetch-Site`. Clients other than browsers send neither of the
/// last two.
struct BrowserGuard: Sendable {
    /// The host names that requests may use, in addition to loopback; nil permits every name.
    let hosts: Set<String>?
    /// The origins that are permitted in spite of the rules.
    let origins: AllowedOrigins
    /// The origin under which clients of a reverse proxy see the server; nil without one.
    let publicOrigin: String?

    /// The error for a forbidden request; nil for a permitted one.
    func refusal(of request: HTTPRequest) -> APIError? {
        let host = request.authority.flatMap { HostField($0) }
        if let hosts, let authority = request.authority, !authority.isEmpty {
            guard let host, Self.isLoopback(host.host) || hosts.contains(host.host) else {
                return APIError(
                    .forbidden,
                    "With auth.mode none a request must address this server as localhost, by a loopback address or by its own "
                        + "name: use one, or set another auth.mode.")
            }
        }
        let senders = request.headerFields[values: .origin]
        if senders.contains(where: { origins.contains($0) }), senders.count == 1 { return nil }
        let own = host.map { AllowedOrigins.origin(scheme: request.scheme ?? "http", $0) }
        guard senders.allSatisfy({ $0.lowercased() == own || $0.lowercased() == publicOrigin }), Self.isOwnSite(request) else {
            return APIError(
                .forbidden,
                "With auth.mode none this server refuses requests from other web pages: add the page's origin to "
                    + "server.cors_origins, or set another auth.mode.")
        }
        return nil
    }

    /// `same-site` is forbidden too: another port of the same machine has the same site, but another origin.
    private static func isOwnSite(_ request: HTTPRequest) -> Bool {
        guard let name = HTTPField.Name("Sec-Fetch-Site") else { return true }
        return request.headerFields[values: name].allSatisfy { ["same-origin", "none"].contains($0.lowercased()) }
    }

    private static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host.hasSuffix(".localhost") || IPAddress(host)?.isLoopback == true
    }
}

extension BrowserGuard {
    /// - Parameters:
    ///   - host: the name or address that the server listens on; nil for a socket file, which no web page can reach.
    ///   - publicURL: the URL under which clients reach the server; nil to take it from each request.
    init(host: String?, origins: AllowedOrigins, publicURL: String?) {
        let publicOrigin = publicURL.map(AllowedOrigins.origin(of:))
        let publicHost = publicOrigin.flatMap { HostField($0.drop { $0 != "/" }.dropFirst(2))?.host }
        self.init(
            hosts: host.map { Set([$0.lowercased(), publicHost].compactMap(\.self)) }, origins: origins,
            publicOrigin: publicOrigin)
    }
}

/// Refuses, on every route, the requests that `BrowserGuard` forbids.
struct BrowserGuardMiddleware: RouterMiddleware {
    typealias Context = APIContext

    let exposure: Reloadable<ServerExposure>

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        if let refusal = exposure.current.browsers?.refusal(of: request.head) { throw refusal }
        return try await next(request, context)
    }
}

/// The origins of the web pages that may use this server from a browser (`server.cors_origins`).
struct AllowedOrigins: Sendable, Equatable {
    private let origins: Set<String>

    /// - Parameter origins: origins such as `https://console.example:8443`, or `*` for all.
    init(_ origins: [String]) { self.origins = Set(origins.map(Self.origin(of:))) }

    /// Whether no origin is permitted.
    var isEmpty: Bool { origins.isEmpty }

    /// Whether every origin is permitted.
    var isEverybody: Bool { origins.contains("*") }

    /// Whether an origin is permitted. `null` is not: many unrelated pages send it.
    func contains(_ origin: String) -> Bool {
        isEverybody || (origin != "null" && origins.contains(origin.lowercased()))
    }
}

extension AllowedOrigins {
    /// An origin in the form that browsers send: in lower case, without the scheme's default port.
    static func origin(scheme: String, _ host: HostField) -> String {
        let isUsual = host.port == (scheme == "https" ? 443 : 80)
        let name = host.host.contains(":") ? "[\(host.host)]" : host.host
        return "\(scheme)://\(name)" + (isUsual ? "" : host.port.map { ":\($0)" } ?? "")
    }

    /// The origin of a URL in the form that browsers send; other text is returned in lower case.
    static func origin(of url: String) -> String {
        let text = url.lowercased()
        guard let scheme = ["https", "http"].first(where: { text.hasPrefix($0 + "://") }),
            let host = HostField(text.dropFirst(scheme.count + 3).prefix { $0 != "/" })
        else { return text }
        return origin(scheme: scheme, host)
    }
}
