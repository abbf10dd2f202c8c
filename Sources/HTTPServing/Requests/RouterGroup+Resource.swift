package import HTTPTypes
package import Hummingbird

/// Answers one method of one path.
package typealias RequestHandler = @Sendable (Request, APIContext) async throws -> Response

extension RouterMethods where Context == APIContext {
    /// A path with all its methods. Any other one is known as well, so that it gets to the door, which answers 405
    /// (`RoutePolicy`), and is not taken for a path that is not there. HEAD is answered like GET, without the body, which
    /// `RequestGate` keeps back.
    package func resource(_ path: RouterPath, _ handlers: [HTTPRequest.Method: RequestHandler]) {
        let known: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options]
        var handlers = handlers
        if handlers[.head] == nil { handlers[.head] = handlers[.get] }
        for method in Set(known + handlers.keys) {
            on(path, method: method, use: handlers[method] ?? { _, _ in Response(status: .methodNotAllowed) })
        }
    }
}
