import HTTPTypes
import Hummingbird
import NetworkAddress

/// Keeps the web pages that somebody on this machine looks at away from a server that asks nobody who they are (`auth.mode: none`).
///
/// A page reaches such a server by a name of its own that leads to loopback (DNS rebinding), which shows in `Host`, or by asking it
/// as another site, which shows in `Origin` and `Sec-Fetch-Site`. Other clients send neither of the latter.
struct BrowserGuard: Sendable {
    /// The hosts that the server is called by, beside those of loopback; nil if it may be called by any.
    let hosts: Set<String>?
    /// The pages that are let in nevertheless.
    let origins: AllowedOrigins
    /// The server's own origin, as clients of a proxy before it see it; nil for none.
    let publicOrigin: String?

    /// Why a request is refused; nil if it is not.
    func refusal(of request: HTTPRequest) -> APIError? {
        let host = request.authority.flatMap { HostField($0) }
        if let hosts, let authority = request.authority, !authority.isEmpty {
            guard let host, Self.isLoopback(host.host) || hosts.contains(host.host) else {
                return APIError(
                    .forbidden,
                    "With auth.mode none this server is called by localhost, a loopback address or its own name only: call it by one, "
                        + "or set another auth.mode.")
            }
        }
        let senders = request.headerFields[values: .origin]
        if senders.contains(where: { origins.contains($0) }), senders.count == 1 { return nil }
        let own = host.map { AllowedOrigins.origin(scheme: request.scheme ?? "http", $0) }
        guard senders.allSatisfy({ $0.lowercased() == own || $0.lowercased() == publicOrigin }), Self.isOwnSite(request) else {
            return APIError(
                .forbidden,
                "With auth.mode none this server takes no requests from other web pages: name the page's origin in "
                    + "server.cors_origins, or set another auth.mode.")
        }
        return nil
    }

    /// Another port of the same machine is of the same site and not of the same origin: it is foreign, too.
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
    ///   - host: the name or address that the server listens at; nil for a socket file, which no page reaches.
    ///   - publicURL: under which URL clients reach it; nil if it is what requests say.
    init(host: String?, origins: AllowedOrigins, publicURL: String?) {
        let publicOrigin = publicURL.map(AllowedOrigins.origin(of:))
        let publicHost = publicOrigin.flatMap { HostField($0.drop { $0 != "/" }.dropFirst(2))?.host }
        self.init(
            hosts: host.map { Set([$0.lowercased(), publicHost].compactMap(\.self)) }, origins: origins,
            publicOrigin: publicOrigin)
    }
}

/// Refuses what the guard refuses, whatever the route.
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

/// The web pages that browsers may let talk to this server (`server.cors_origins`).
struct AllowedOrigins: Sendable, Equatable {
    private let origins: Set<String>

    /// - Parameter origins: such as `https://console.example:8443`, or `*` for all.
    init(_ origins: [String]) { self.origins = Set(origins.map(Self.origin(of:))) }

    /// Whether no page may.
    var isEmpty: Bool { origins.isEmpty }

    /// Whether every page may.
    var isEverybody: Bool { origins.contains("*") }

    /// Whether the page of this origin may. `null` is everybody's who hides theirs, and so nobody's.
    func contains(_ origin: String) -> Bool {
        isEverybody || (origin != "null" && origins.contains(origin.lowercased()))
    }
}

extension AllowedOrigins {
    /// An origin as browsers write it: in lower case, without the scheme's own port.
    static func origin(scheme: String, _ host: HostField) -> String {
        let isUsual = host.port == (scheme == "https" ? 443 : 80)
        let name = host.host.contains(":") ? "[\(host.host)]" : host.host
        return "\(scheme)://\(name)" + (isUsual ? "" : host.port.map { ":\($0)" } ?? "")
    }

    /// The origin of a URL as browsers write it. What is no URL stays as it is.
    static func origin(of url: String) -> String {
        let text = url.lowercased()
        guard let scheme = ["https", "http"].first(where: { text.hasPrefix($0 + "://") }),
            let host = HostField(text.dropFirst(scheme.count + 3).prefix { $0 != "/" })
        else { return text }
        return origin(scheme: scheme, host)
    }
}
