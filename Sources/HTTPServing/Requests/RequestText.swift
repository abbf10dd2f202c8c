import HTTPTypes
import Hummingbird
import ImageModel

/// Rules for text in requests. Lengths count Unicode scalars or bytes, because a single character has no maximum size.
package enum RequestText {
    /// The most Unicode scalars of a name, a tag or a property's name, as in Glance.
    package static let longestName = 255
    /// The most bytes of a property's value.
    package static let largestValue = 65_536

    /// Whether a text has at most `limit` Unicode scalars.
    package static func fits(_ text: String, scalars limit: Int) -> Bool { text.unicodeScalars.count <= limit }

    /// Whether a text has at most `limit` bytes.
    package static func fits(_ text: String, bytes limit: Int) -> Bool { text.utf8.count <= limit }

    /// Whether the undecoded path and query of a request contain NUL. No part of an escape is a percent sign, so every `%00`
    /// decodes to NUL, whatever precedes it.
    package static func hasNUL(path: String) -> Bool { path.utf8.contains(0) || path.utf8.firstRange(of: "%00".utf8) != nil }
}

extension JSONValue {
    /// Whether one of its strings or member names, at any depth, contains NUL.
    var hasNUL: Bool {
        switch self {
        case .null, .boolean, .integer, .number: false
        case .string(let text): text.utf8.contains(0)
        case .array(let items): items.contains(where: \.hasNUL)
        case .object(let members): members.contains { $0.key.utf8.contains(0) || $0.value.hasNUL }
        }
    }
}

/// Refuses paths and queries with NUL: C code ends a string there, and PostgreSQL can't store it.
struct RequestTextMiddleware: RouterMiddleware {
    typealias Context = APIContext

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        guard !RequestText.hasNUL(path: request.head.path ?? "") else {
            throw APIError.badRequest("The request's path or query holds the character NUL (%00): leave it out.")
        }
        return try await next(request, context)
    }
}
