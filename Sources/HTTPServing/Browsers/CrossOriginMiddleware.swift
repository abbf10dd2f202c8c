import HTTPTypes
import Hummingbird

/// Answers cross-origin requests of browsers according to CORS (https://fetch.spec.whatwg.org/#http-cors-protocol).
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

    /// The response fields that scripts may read in addition to the CORS-safelisted ones.
    private static let exposed =
        "Accept-Ranges, Content-Length, Content-MD5, Content-Range, ETag, Link, Location, Repr-Digest, Retry-After, "
        + "X-OpenStack-Request-ID"

    /// The response to a CORS preflight request; nil for any other request. Any requested field is allowed: the token is sent
    /// in a field that the page sets itself, and the browser adds no credentials of its own.
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
