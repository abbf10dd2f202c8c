package import HTTPServing
import HTTPTypes
package import Hummingbird
import ImageCatalog
import ImageModel
import LocationLifecycle
import Logging

/// Turns errors of the catalog and of the registrar into responses.
package struct ErrorTranslation: RouterMiddleware {
    package typealias Context = APIContext

    package init() {}

    package func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as CatalogError {
            if error.isServerFault {
                context.logger.error("catalog.failed: The catalog failed.", metadata: ["error": "\(error)"])
            }
            throw APIError(error)
        } catch let refusal as RegistrationError {
            throw APIError(refusal)
        }
    }
}

extension APIError {
    /// The error for a client. The path of the catalog and the messages of SQLite appear in the log only.
    init(_ error: CatalogError) {
        self.init(Self.status(of: error), error.publicDescription)
        if case .busy = error { headers[.retryAfter] = "5" }
    }

    init(_ refusal: RegistrationError) {
        switch refusal.kind {
        case .invalid: self.init(.badRequest, refusal.description)
        case .conflict: self.init(.conflict, refusal.description)
        case .gone: self.init(.gone, refusal.description)
        }
    }

    private static func status(of error: CatalogError) -> HTTPResponse.Status {
        switch error {
        case .unknownImage, .unknownLocation, .unknownMember: .notFound
        case .imageExists, .formerImage, .memberExists, .duplicateLocation, .differentContent, .illegalEvent, .lastActive,
            .lastActiveDeletion, .unidentified, .uploadRemoved:
            .conflict
        case .protectedImage: .forbidden
        case .unknownMarker: .badRequest
        case .overQuota: .contentTooLarge
        case .diskFull: HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage")
        case .busy: .serviceUnavailable
        case .damaged, .newerSchema, .unusable: .internalServerError
        }
    }
}

extension CatalogError {
    /// The message for callers who must not learn about the server's files.
    fileprivate var publicDescription: String {
        switch self {
        case .busy: "The catalog is busy: try again in a moment."
        case .diskFull: "The disk of the catalog is full: ask the operator to make room."
        case .damaged, .newerSchema, .unusable:
            "The catalog is unusable now: the server's log has the cause."
        default: description
        }
    }
}
