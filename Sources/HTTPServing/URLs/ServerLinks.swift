import Access
import HTTPTypes
package import Hummingbird
import NIOCore

/// Under which address clients reach this server, for links that lead back the same way.
struct ServerLinks: Sendable {
    /// What the operator says it is (`server.public_url`), without a slash at its end; nil if it is what the request says.
    var publicURL: String?
    /// The proxies that are believed when they say how the client reached them (`auth.trusted_proxies`).
    var proxies = TrustedNetworks()

    private static let schemeField = HTTPField.Name("X-Forwarded-Proto")
    private static let hostField = HTTPField.Name("X-Forwarded-Host")

    /// The address without a slash at its end.
    /// - Parameters:
    ///   - peer: the other end of the connection; nil if it has no address.
    ///   - local: this end of it, for clients that do not say whom they call.
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

    /// A proxy that adds to what is there already writes behind it; what stands before that may be the client's own.
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

/// Tells every request's context under which address the server is reached.
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
    /// Under which address the client of a request reaches this server.
    package func serverAddress(of request: Request) -> String {
        links.base(of: request.head, peer: peer, local: channel.localAddress)
    }
}
