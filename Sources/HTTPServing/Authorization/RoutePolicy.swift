import Access
import Hummingbird
import Logging

/// The minimum role for each route. A handler may require more, such as the project that owns an image.
///
/// A route without a row is closed to everyone, so a forgotten row never opens a route. The rows of all APIs stand in one table, so
/// that access can be audited at one place.
enum RoutePolicy {
    /// What a route requires of its caller.
    enum CallerRequirement: Equatable {
        /// Nothing: the caller is not authenticated.
        case nothing
        /// A caller with this role, or with one that includes it.
        case role(Caller.Role)
        /// Another method: the path exists, but only with these methods. They become the `Allow` field.
        case otherMethod(possible: String)
    }

    /// The rows, by method and path. HEAD requires what GET does. `/v2` stands for every minor version as well, see
    /// `VersionPrefix`.
    private static let table: [String: CallerRequirement] = [
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
        // Services are not members of projects: the handler checks their rights.
        "GET /v2/images/{id}/locations": .role(.reader),
        "POST /v2/images/{id}/locations": .role(.reader),

        // The handler of POST decides who may attach, because the rule depends on the backend.
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

    /// The methods of each path, as the `Allow` field lists them.
    private static let methods: [Substring: String] = Dictionary(grouping: table.keys.map { $0.split(separator: " ") }) {
        $0[1]
    }
    .mapValues { rows in
        let methods = rows.map { String($0[0]) }
        return (methods + (methods.contains("GET") ? ["HEAD"] : [])).sorted().joined(separator: ", ")
    }

    /// What a route requires; nil for a path without a row.
    /// - Parameter path: the registered path, such as `/v2/images/{id}`.
    static func requirement(_ method: String, _ path: String) -> CallerRequirement? {
        table["\(method == "HEAD" ? "GET" : method) \(path)"] ?? methods[path[...]].map { .otherMethod(possible: $0) }
    }

    /// A route and its requirement.
    struct Row {
        let method: String
        let path: String
        let requirement: CallerRequirement?

        /// The fields of its log line.
        var metadata: Logger.Metadata {
            let text =
                switch requirement {
                case .nothing: "nothing"
                case .role(let role): role.rawValue
                case .otherMethod: "another method"
                case nil: "no row"
                }
            return ["method": "\(method)", "path": "\(path)", "needs": "\(text)"]
        }
    }

    /// The requirement of each registered route.
    static func rows(of routes: [Router<APIContext>.RouteDescription]) -> [Row] {
        routes.map { route in
            let (method, path) = (route.method.rawValue, route.path.description)
            return Row(method: method, path: path, requirement: requirement(method, path))
        }
    }
}
