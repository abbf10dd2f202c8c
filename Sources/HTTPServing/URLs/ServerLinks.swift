import Access
import HTTPTypes
package import Hummingbird
import NIOCore

/// The address under which clients reach this server, for links.
struct ServerLinks: Sendable {
    /// The configured address (`server.public_url`) without a trailing slash; nil to take it from each request.
    var publicURL: String?
    /// The proxies whose `X-Forwarded-Proto` and `X-Forwarded-Host` are believed (`auth.trusted_proxies`).
    var proxies = TrustedNetworks()

    private static let schemeField = HTTPField.Name("X-Forwarded-Proto")
    private static let hostField = HTTPField.Name("X-Forwarded-Host")

    /// The address without a trailing slash.
    /// - Parameters:
    ///   - peer: the address of the connection's other end; nil without one.
    ///   - local: the local address of the connection, for requests without a host.
    func base(of request: HTTPRequest, peer: String?, local: SocketAddress?) -> String {
        if let publicURL { return publicURL }
        var scheme = request.scheme == "https" ? "https" : "http"
        var host = request.authority.flatMap { HostField($0) }
        if proxies.isProxy(peer) {
            switch Self.last(of: Self.schemeField, in: request)?.lowercased() {
            case "https": scheme = "https"
            case "http": scheme = "http"
            default: break
            }
            if let forwarded = Self.last(of: Self.hostField, in: request).flatMap({ HostField($0) }) { host = forwarded }
        }
        return "\(scheme)://\(host?.description ?? Self.name(of: local))"
    }

    /// The last item is the proxy's: a proxy appends to the field, and earlier items may come from the client.
    private static func last(of field: HTTPField.Name?, in request: HTTPRequest) -> Substring? {
        guard let value = field.flatMap({ request.headerFields[values: $0].last }) else { return nil }
        var item = (value.split(separator: ",", omittingEmptySubsequences: false).last ?? "").drop { $0 == " " || $0 == "\t" }
        while item.last == " " || item.last == "\t" { item.removeLast() }
        return item
    }

    private static func name(of local: SocketAddress?) -> String {
        guard let local, let address = local.ipAddress, let port = local.port else { return "localhost" }
        return "\(address.contains(":") ? "[\(address)]" : address):\(port)"
    }
}

/// Gives each request's context the address of the server.
struct ServerLinksMiddleware: RouterMiddleware {
    typealias Context = APIContext

    let exposure: Reloadable<ServerExposure>
    let access: Reloadable<CallerAccess>

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.links = ServerLinks(publicURL: exposure.current.publicURL, proxies: access.current.trusted)
        return try await next(request, context)
    }
}

extension APIContext {
    /// The address under which the client of a request reaches this server.
    package func serverAddress(of request: Request) -> String {
        links.base(of: request.head, peer: peer, local: channel.localAddress)
    }
}
