internal import FoundationEssentials
internal import Hummingbird
internal import Identity
internal import ImageCatalog
internal import ImageModel

/// `/v2/tasks` and `/v2/images/{id}/tasks`.
struct TaskRoutes: Sendable {
    let images: any ImageStore

    func list(_ request: Request, context: APIContext) async throws -> Response {
        try requireAdmin(context)
        let items = QueryItems(request.uri.query)
        var query = TaskQuery()
        query.limit = try ImageListRequest.limit(items["limit"])
        query.marker = try items["marker"].map { text in
            guard let marker = UUID(uuidString: text) else { throw APIError.badRequest("marker must be a task's id.") }
            return marker
        }
        let tasks = try await images.tasks(query)
        var answer: [String: JSONValue] = [
            "tasks": .array(tasks.map { .task($0, isWhole: false) }), "first": "/v2/tasks", "schema": "/v2/schemas/tasks",
        ]
        if tasks.count == query.limit, let last = tasks.last {
            answer["next"] = .string("/v2/tasks?limit=\(query.limit)&marker=\(last.id.uuidString.lowercased())")
        }
        return try JSONValue.object(answer).response()
    }

    func show(_ request: Request, context: APIContext) async throws -> Response {
        try requireAdmin(context)
        let text = context.part("task")
        guard let id = UUID(uuidString: text), let task = try await images.task(id) else {
            throw APIError(.notFound, "There is no task \(text.excerpt(64)).")
        }
        return try JSONValue.task(task, isWhole: true).response()
    }

    func ofImage(_ request: Request, context: APIContext) async throws -> Response {
        let admitted = try await ImageGate(images: images).image(context)
        var query = TaskQuery()
        query.image = admitted.id
        query.limit = ImageListRequest.largestLimit
        let tasks = try await images.tasks(query)
        // What was asked for and what went wrong tell where the image lies.
        let caller = context.caller
        let isWhole = caller.maySeeLocations || caller.mayListLocations || admitted.access.isOwner
        return try JSONValue.object(["tasks": .array(tasks.map { .task($0, isWhole: isWhole) })]).response()
    }

    private func requireAdmin(_ context: APIContext) throws(APIError) {
        guard context.caller.isAdmin else { throw APIError(.forbidden, "Only administrators see all tasks.") }
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
