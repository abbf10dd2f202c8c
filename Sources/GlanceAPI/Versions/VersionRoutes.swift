package import HTTPServing
import HTTPTypes
package import Hummingbird
package import ImageModel

/// The versions of Glance's Images API, for its clients' version discovery.
package enum VersionRoutes {
    /// Newest first: the versions that a Glance without several stores and without a cache lists.
    static let minorVersions = [17, 15, 9, 7, 6, 5, 4, 3, 2, 1, 0]

    /// The known first segments of a path.
    static let known: Set<Substring> = ["v2", "baton", "healthz", "readyz", "metrics", "versions"]

    /// The document with the versions.
    /// - Parameter server: the address under which the client reaches the server.
    package static func document(of server: String) -> JSONValue {
        let versions = minorVersions.map { minor in
            JSONValue.object([
                "id": .string("v2.\(minor)"),
                "status": .string(minor == minorVersions.first ? "CURRENT" : "SUPPORTED"),
                "links": .array([.object(["rel": .string("self"), "href": .string("\(server)/v2/")])]),
            ])
        }
        return .object(["versions": .array(versions)])
    }

    /// Answers 300, as Glance does at the root and at every path without a known version.
    package static func multipleChoices(_ request: Request, _ context: APIContext) throws -> Response {
        try document(of: context.serverAddress(of: request)).response(status: .multipleChoices)
    }
}

/// Answers a path without a known first segment with the list of versions, as Glance does.
package struct VersionNegotiation: RouterMiddleware {
    package typealias Context = APIContext

    package init() {}

    package func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let first = request.uri.path.split(separator: "/").first ?? ""
        guard VersionRoutes.known.contains(first) else {
            return try VersionRoutes.multipleChoices(request, context)
        }
        // The router treats `/v2/images/` as `/v2/images`. For Glance's clients it is an image without an id.
        let path = request.uri.path
        guard !path.hasSuffix("/") || path.split(separator: "/").count <= 1 else {
            throw APIError(.notFound, "There is nothing at \(path.excerpt(128)).")
        }
        return try await next(request, context)
    }
}

/// Maps all versions to one API: `/v2.9/images` becomes `/v2/images`, and so does `/images` if the request selects the version
/// with `Accept: application/vnd.openstack.images-v2`.
package struct VersionPrefix<Next: HTTPResponder<APIContext>>: HTTPResponder {
    private let next: Next

    /// - Parameter next: answers requests whose path has no minor version.
    package init(next: Next) { self.next = next }

    package func respond(to request: Request, context: APIContext) async throws -> Response {
        guard let path = VersionRoutes.plainPath(request.head.path ?? "", accept: request.headers[.accept]) else {
            return try await next.respond(to: request, context: context)
        }
        var head = request.head
        head.path = path
        return try await next.respond(to: Request(head: head, body: request.body), context: context)
    }
}

extension VersionRoutes {
    private static let mediaType = "application/vnd.openstack.images-v2"

    /// The path without its minor version; nil if the path stays unchanged.
    static func plainPath(_ path: String, accept: String?) -> String? {
        let rest = path.drop { $0 == "/" }
        let first = rest.prefix { $0 != "/" && $0 != "?" }
        if first.hasPrefix("v2."), let minor = Int(first.dropFirst(3)), minorVersions.contains(minor) {
            return "/v2" + rest.dropFirst(first.count)
        }
        guard let accept, accept.hasPrefix(mediaType), !first.isEmpty, !known.contains(first) else { return nil }
        let version = accept.dropFirst(mediaType.count).prefix { $0 != "," && $0 != ";" }
        let isKnown = version.isEmpty || (version.first == "." && Int(version.dropFirst()).map(minorVersions.contains) == true)
        return isKnown ? "/v2/" + rest : nil
    }
}
