import Access
package import HTTPTypes
package import Hummingbird
import Logging

/// Handles one method of one path.
package typealias RequestHandler = @Sendable (Request, APIContext) async throws -> Response

extension RouterMethods where Context == APIContext {
    /// Registers a path with its methods. Every other method is registered too, so that it reaches the authentication, which
    /// answers 405 (`RoutePolicy`) instead of the router's 404. HEAD is handled like GET; `RequestGate` drops the body.
    package func resource(_ path: RouterPath, _ handlers: [HTTPRequest.Method: RequestHandler]) {
        let known: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options]
        var handlers = handlers
        if handlers[.head] == nil { handlers[.head] = handlers[.get] }
        for method in Set(known + handlers.keys) {
            on(path, method: method, use: handlers[method] ?? { _, _ in Response(status: .methodNotAllowed) })
        }
    }
}
