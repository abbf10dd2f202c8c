internal import HTTPTypes
internal import Hummingbird

/// Answers one method of one path.
typealias RequestHandler = @Sendable (Request, APIContext) async throws -> Response

extension RouterMethods where Context == APIContext {
    /// A path with all its methods. Any other method is answered 405, with the list of those there are.
    func resource(_ path: RouterPath, _ handlers: [HTTPRequest.Method: RequestHandler]) {
        let allowed = handlers.keys.map(\.rawValue).sorted().joined(separator: ", ")
        let known: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options]
        for method in Set(known + handlers.keys) {
            on(path, method: method) { request, context in
                if let handler = handlers[method] { return try await handler(request, context) }
                var error = APIError(
                    .methodNotAllowed, "\(method.rawValue) is not possible at this path; possible: \(allowed).")
                error.headers[.allow] = allowed
                throw error
            }
        }
    }
}
