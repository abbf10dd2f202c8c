package import HTTPServing
import HTTPTypes
package import Hummingbird

/// Makes one API of all its versions: `/v2.9/images` is `/v2/images`, and so is `/images` when the version is asked for with
/// `Accept: application/vnd.openstack.images-v2`.
package struct VersionPrefix<Next: HTTPResponder<APIContext>>: HTTPResponder {
    private let next: Next

    /// - Parameter next: answers requests whose path has no minor version.
    package init(next: Next) { self.next = next }

    /// Answers a request.
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

    /// The path without its minor version; nil if it can stay as it is.
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
