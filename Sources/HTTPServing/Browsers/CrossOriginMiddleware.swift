import HTTPTypes
import Hummingbird

/// Lets pages of other origins use this server from a browser, by the rules of CORS (https://fetch.spec.whatwg.org/#http-cors-protocol).
struct CrossOriginMiddleware: RouterMiddleware {
    typealias Context = APIContext

    let exposure: Reloadable<ServerExposure>

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let origins = exposure.current.origins
        guard !origins.isEmpty else { return try await next(request, context) }
        let origin = request.headers[.origin].flatMap { origins.contains($0) ? $0 : nil }
        var response: Response
        if let origin, let preflight = Self.preflight(request, from: origin) {
            response = preflight
        } else {
            response = try await next(request, context)
        }
        if !origins.isEverybody { response.headers.append(HTTPField(name: .vary, value: "Origin")) }
        guard let origin else { return response }
        response.headers[.accessControlAllowOrigin] = origins.isEverybody ? "*" : origin
        response.headers[.accessControlExposeHeaders] = Self.exposed
        return response
    }

    /// What scripts may read of an answer beside what they always may.
    private static let exposed =
        "Accept-Ranges, Content-Length, Content-MD5, Content-Range, ETag, Link, Location, Repr-Digest, Retry-After, "
        + "X-OpenStack-Request-ID"

    /// The answer to a browser that asks beforehand; nil for any other request. The token is a field like any other, so that nothing is
    /// sent that the page does not know: there are no credentials of the browser's own.
    private static func preflight(_ request: Request, from origin: String) -> Response? {
        guard request.method == .options, request.headers[.accessControlRequestMethod] != nil else { return nil }
        var headers: HTTPFields = [
            .accessControlAllowMethods: "DELETE, GET, HEAD, PATCH, POST, PUT", .accessControlMaxAge: "600",
        ]
        if let fields = request.headers[.accessControlRequestHeaders] { headers[.accessControlAllowHeaders] = fields }
        if let name = HTTPField.Name("Access-Control-Request-Private-Network"), request.headers[name] == "true",
            let allow = HTTPField.Name("Access-Control-Allow-Private-Network")
        {
            headers[allow] = "true"
        }
        return Response(status: .noContent, headers: headers)
    }
}
