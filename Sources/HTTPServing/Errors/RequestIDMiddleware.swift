import HTTPTypes
import Hummingbird
import ImageModel
import Logging

/// Adds `x-openstack-request-id` to every response, and turns every error into a JSON response.
struct RequestIDMiddleware: RouterMiddleware {
    typealias Context = APIContext

    static let field = HTTPField.Name(parsed: "x-openstack-request-id")

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        var response = try await answer(request, context, next)
        if let field = Self.field { response.headers[field] = context.requestID }
        return response
    }

    private func answer(
        _ request: Request, _ context: APIContext, _ next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as APIError {
            return try error.response(from: request, context: context)
        } catch let error as any HTTPResponseError {
            let status = error.status
            let message =
                status == .notFound
                ? "There is nothing at \(request.uri.path.excerpt(128))."
                : "The request can't be served: \(status.reasonPhrase)."
            return try APIError(status, message).response(from: request, context: context)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            context.logger.error("request.failed: A request failed with an unexpected error.", metadata: ["error": "\(error)"])
            return try APIError(.internalServerError, "Baton failed to process this request: the server's log has the cause.")
                .response(from: request, context: context)
        }
    }
}
