import Access
import FoundationEssentials
import HTTPServing
import Hummingbird
import ImageCatalog
import ImageModel

/// `/v2/tasks` and `/v2/images/{id}/tasks`.
struct TaskRoutes: Sendable {
    let catalog: any Catalog

    func list(_ request: Request, context: APIContext) async throws -> Response {
        try requireAdmin(context)
        let items = QueryItems(request.uri.query)
        var query = TaskQuery()
        query.limit = try ImageListRequest.limit(items["limit"])
        query.marker = try marker(items)
        return try await answer(
            query, at: "/v2/tasks", isWhole: false, ["first": "/v2/tasks", "schema": "/v2/schemas/tasks"], context)
    }

    func show(_ request: Request, context: APIContext) async throws -> Response {
        try requireAdmin(context)
        let text = context.part("task")
        guard let id = UUID(uuidString: text), let task = try await catalog.task(id) else {
            throw APIError(.notFound, "There is no task \(text.excerpt(64)).")
        }
        return try JSONValue.task(task, isWhole: true).response()
    }

    func ofImage(_ request: Request, context: APIContext) async throws -> Response {
        let authorized = try await ImageAuthorizer(images: catalog).image(context)
        var query = TaskQuery()
        query.image = authorized.id
        query.limit = ImageListRequest.largestLimit
        query.marker = try marker(QueryItems(request.uri.query))
        // A task's input and message reveal the image's locations.
        let caller = context.caller
        let isWhole = caller.maySeeLocations || caller.mayListLocations || authorized.access.isOwner
        return try await answer(query, at: "/v2/images/\(authorized.id)/tasks", isWhole: isWhole, [:], context)
    }

    private func marker(_ items: QueryItems) throws -> UUID? {
        try items["marker"].map { text in
            guard let marker = UUID(uuidString: text) else { throw APIError.badRequest("marker must be a task's id.") }
            return marker
        }
    }

    /// One page of tasks, with the link to the next page.
    private func answer(
        _ query: TaskQuery, at path: String, isWhole: Bool, _ members: [String: JSONValue], _ context: APIContext
    ) async throws -> Response {
        let found = try await catalog.page(query)
        var page = JSONPage()
        var last = try await page.fill(with: found.items, for: context) { JSONValue.task($0, isWhole: isWhole) }
        if last == nil, found.isCut || found.items.count == query.limit { last = found.items.last }
        var members = members
        if let last {
            members["next"] = .string("\(path)?limit=\(query.limit)&marker=\(last.id.uuidString.lowercased())")
        }
        return try page.response("tasks", members)
    }

    private func requireAdmin(_ context: APIContext) throws(APIError) {
        guard context.caller.isAdmin else { throw APIError(.forbidden, "Only administrators may see all tasks.") }
    }
}

extension JSONValue {
    fileprivate static func task(_ task: ImageTask, isWhole: Bool) -> JSONValue {
        let path = "/v2/tasks/\(task.id.uuidString.lowercased())"
        var fields: [String: JSONValue] = [
            "id": .string(task.id.uuidString.lowercased()), "type": .string(task.kind),
            "status": .string(task.status.rawValue), "owner": .string(task.owner ?? ""), "user_id": .string(task.user),
            "image_id": .string(task.image.description), "request_id": .string(task.request),
            "created_at": .time(task.createdAt), "updated_at": .time(task.updatedAt), "expires_at": .null,
            "self": .string(path), "schema": "/v2/schemas/task",
        ]
        if isWhole {
            fields["input"] = (try? JSONValue(reading: task.input.utf8)) ?? .null
            fields["result"] = .null
            fields["message"] = .string(task.message)
        }
        return .object(fields)
    }
}
