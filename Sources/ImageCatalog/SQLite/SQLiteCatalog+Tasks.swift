package import FoundationEssentials
import GRDB
package import ImageModel

extension SQLiteCatalog {
    package func add(_ task: ImageTask) async throws {
        try await write { db in
            try db.execute(
                sql: """
                    INSERT INTO task (id, kind, status, image, owner, user, request, input, message, created_at, updated_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    task.id.uuidString.lowercased(), task.kind, task.status.rawValue, task.image.description, task.owner,
                    task.user, task.request, task.input, task.message, task.createdAt.milliseconds,
                    task.updatedAt.milliseconds,
                ])
        }
    }

    package func setStatus(
        _ status: ImageTask.Status, message: String, ofTask id: UUID, at time: Date
    ) async throws {
        try await write { db in
            try db.execute(
                sql: "UPDATE task SET status = ?, message = ?, updated_at = ? WHERE id = ?",
                arguments: [status.rawValue, message, time.milliseconds, id.uuidString.lowercased()])
        }
    }

    package func task(_ id: UUID) async throws -> ImageTask? {
        try await read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM task WHERE id = ?", arguments: [id.uuidString.lowercased()])
                .map(ImageTask.init)
        }
    }

    package func page(_ query: TaskQuery) async throws -> CatalogPage<ImageTask> {
        try await read { db in
            var conditions = [SQLCondition("1")]
            if let image = query.image { conditions.append(SQLCondition("image = ?", [image.description])) }
            if let owner = query.owner { conditions.append(SQLCondition("owner = ?", [owner])) }
            if let marker = query.marker {
                conditions.append(
                    SQLCondition(
                        "number < COALESCE((SELECT number FROM task WHERE id = ?), 0)", [marker.uuidString.lowercased()]))
            }
            let rows = try Row.fetchCursor(
                db,
                sql: "SELECT * FROM task WHERE \(conditions.map(\.text).joined(separator: " AND ")) "
                    + "ORDER BY number DESC LIMIT ?",
                arguments: StatementArguments(conditions.flatMap(\.values) + [query.limit]))
            var page = CatalogPage<ImageTask>(size: query.pageSize)
            while !page.isCut, let row = try rows.next() {
                let task = try ImageTask(row)
                page.add(task, of: task.size)
            }
            return page
        }
    }
}

extension ImageTask {
    fileprivate init(_ row: Row) throws {
        self.init(
            id: try row.required("id") { UUID(uuidString: $0) }, kind: row["kind"],
            status: try row.required("status") { ImageTask.Status(rawValue: $0) },
            image: try row.required("image") { ImageID($0) }, owner: row["owner"], user: row["user"],
            request: row["request"], input: row["input"], message: row["message"],
            createdAt: Date(milliseconds: row["created_at"]), updatedAt: Date(milliseconds: row["updated_at"]))
    }
}
