internal import HTTPTypes
internal import Hummingbird
internal import ImageCatalog
internal import Logging

/// Turns the catalog's errors into answers.
struct ErrorTranslation: RouterMiddleware {
    typealias Context = APIContext

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as CatalogError {
            if error.isOurTrouble {
                context.logger.error("The catalog failed.", metadata: ["error": "\(error)"])
            }
            throw APIError(status(of: error), "\(error)")
        }
    }

    private func status(of error: CatalogError) -> HTTPResponse.Status {
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
