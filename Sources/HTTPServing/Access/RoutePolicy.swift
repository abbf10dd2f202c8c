import Access
package import HTTPTypes
package import Hummingbird
import Logging

/// Who may use which route: the least role that gets past the door. What lies behind it may ask for more, such as the project that
/// owns an image.
///
/// A route without a row is closed to everybody, so that none is opened by being forgotten.
enum RoutePolicy {
    /// What a caller must be.
    enum Need: Equatable {
        /// Nothing; nobody is asked who they are.
        case nothing
        /// A caller with this role, or with one that contains it.
        case role(Caller.Role)
        /// Another method: this path has these alone, which the answer names.
        case otherMethod(possible: String)
    }

    /// The rows, by method and path. HEAD needs what GET does. (`/v2` stands for every minor version as well, see `VersionPrefix`.)
    private static let table: [String: Need] = [
        "GET /": .nothing,
        "GET /versions": .nothing,
        "GET /healthz": .nothing,
        "GET /readyz": .nothing,
        "GET /metrics": .role(.reader),

        "GET /v2/images": .role(.reader),
        "POST /v2/images": .role(.member),
        "GET /v2/images/{id}": .role(.reader),
        "PATCH /v2/images/{id}": .role(.member),
        "DELETE /v2/images/{id}": .role(.member),
        "GET /v2/images/{id}/file": .role(.reader),
        "PUT /v2/images/{id}/file": .role(.member),
        "POST /v2/images/{id}/actions/deactivate": .role(.member),
        "POST /v2/images/{id}/actions/reactivate": .role(.member),
        "PUT /v2/images/{id}/tags/{tag}": .role(.member),
        "DELETE /v2/images/{id}/tags/{tag}": .role(.member),
        "GET /v2/images/{id}/members": .role(.reader),
        "POST /v2/images/{id}/members": .role(.member),
        "GET /v2/images/{id}/members/{member}": .role(.reader),
        "PUT /v2/images/{id}/members/{member}": .role(.member),
        "DELETE /v2/images/{id}/members/{member}": .role(.member),
        "GET /v2/images/{id}/tasks": .role(.reader),
        "GET /v2/tasks": .role(.admin),
        "GET /v2/tasks/{task}": .role(.admin),
        "GET /v2/schemas/{name}": .role(.reader),
        "GET /v2/info/import": .role(.reader),
        "GET /v2/info/stores": .role(.reader),
        "GET /v2/info/stores/detail": .role(.reader),
        // Services, which are no members of projects, are let in behind the door.
        "GET /v2/images/{id}/locations": .role(.reader),
        "POST /v2/images/{id}/locations": .role(.reader),

        // POST is for admins, and for those whom the backend's rule lets attach: that is decided where the backend is known.
        "GET /baton/v1/images/{id}/locations": .role(.admin),
        "POST /baton/v1/images/{id}/locations": .role(.reader),
        "GET /baton/v1/images/{id}/explain": .role(.admin),
        "GET /baton/v1/backends": .role(.admin),
        "GET /baton/v1/uploads": .role(.admin),
        "GET /baton/v1/images/{id}/direct": .role(.trusted),
        "GET /baton/v1/locations/{id}": .role(.admin),
        "PATCH /baton/v1/locations/{id}": .role(.admin),
        "GET /baton/v1/locations/{id}/history": .role(.admin),
        "POST /baton/v1/locations/{id}/verify": .role(.admin),
        "POST /baton/v1/locations/{id}/disable": .role(.admin),
        "POST /baton/v1/locations/{id}/enable": .role(.admin),
        "POST /baton/v1/locations/{id}/quarantine": .role(.admin),
        "POST /baton/v1/locations/{id}/delete": .role(.admin),
        "POST /baton/v1/locations/{id}/restore": .role(.admin),
    ]

    /// The methods of each path.
    private static let methods: [Substring: String] = Dictionary(grouping: table.keys.map { $0.split(separator: " ") }) {
        $0[1]
    }
    .mapValues { rows in
        let methods = rows.map { String($0[0]) }
        return (methods + (methods.contains("GET") ? ["HEAD"] : [])).sorted().joined(separator: ", ")
    }

    /// What a caller must be for a route; nil for a route without a row.
    /// - Parameter path: as it was registered, e.g. `/v2/images/{id}`.
    static func need(_ method: String, _ path: String) -> Need? {
        table["\(method == "HEAD" ? "GET" : method) \(path)"] ?? methods[path[...]].map { .otherMethod(possible: $0) }
    }

    /// A route with what it needs.
    struct Row {
        let method: String
        let path: String
        let need: Need?

        /// As it is logged.
        var metadata: Logger.Metadata {
            let text =
                switch need {
                case .nothing: "nothing"
                case .role(let role): role.rawValue
                case .otherMethod: "another method"
                case nil: "no row"
                }
            return ["method": "\(method)", "path": "\(path)", "needs": "\(text)"]
        }
    }

    /// What each registered route needs.
    static func rows(of routes: [Router<APIContext>.RouteDescription]) -> [Row] {
        routes.map { route in
            let (method, path) = (route.method.rawValue, route.path.description)
            return Row(method: method, path: path, need: need(method, path))
        }
    }
}

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
