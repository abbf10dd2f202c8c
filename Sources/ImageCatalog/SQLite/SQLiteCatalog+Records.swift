import FoundationEssentials
import GRDB
package import ImageModel

extension SQLiteCatalog {
    package func record(of image: ImageID, for project: String?) async throws -> ImageRecord? {
        try await read { db in
            guard let image = try Self.image(image, db) else { return nil }
            return try Self.records(of: [image], for: project, db).first
        }
    }

    package func page(_ query: ImageQuery) async throws -> CatalogPage<ImageRecord> {
        try await read { db in
            var conditions = query.conditions
            let order = query.totalOrder
            if let marker = query.marker {
                conditions.append(query.condition(behind: try Self.position(of: marker, in: query, db)))
            }
            let columns = order.map { "\($0.key.column) \($0.direction.sql)" }.joined(separator: ", ")
            var sql = "SELECT * FROM image"
            if !conditions.isEmpty { sql += " WHERE " + conditions.map(\.text).joined(separator: " AND ") }
            let arguments = conditions.flatMap(\.values) + [query.limit]
            let rows = try Row.fetchCursor(
                db, sql: sql + " ORDER BY \(columns) LIMIT ?", arguments: StatementArguments(arguments))
            var page = CatalogPage<ImageRecord>(size: query.pageSize)
            while !page.isCut {
                let images = try Self.nextImages(rows)
                if images.isEmpty { break }
                for record in try Self.records(of: images, for: query.scope.project, db) { page.add(record, of: record.size) }
            }
            return page
        }
    }

    /// The next images of a query. Images are fetched in batches, since their related rows take three queries; large images
    /// make smaller batches.
    private static func nextImages(_ rows: RowCursor) throws -> [Image] {
        var images: [Image] = []
        var size = 0
        while images.count < 200, size < 1 << 20, let row = try rows.next() {
            let image = try Image(row)
            size += image.textSize
            images.append(image)
        }
        return images
    }

    /// A marker's values in the columns of the order. A marker that the list could not show counts as unknown.
    private static func position(
        of marker: ImageID, in query: ImageQuery, _ db: Database
    ) throws -> [any DatabaseValueConvertible] {
        var visible = query
        visible.filters = []
        let conditions = [SQLCondition("id = ?", [marker.description])] + visible.conditions
        let row = try Row.fetchOne(
            db, sql: "SELECT * FROM image WHERE " + conditions.map(\.text).joined(separator: " AND "),
            arguments: StatementArguments(conditions.flatMap(\.values)))
        guard let row else { throw CatalogError.unknownMarker(marker) }
        return query.totalOrder.map { row[$0.key.column] as DatabaseValue }
    }

    /// The records of these images, in their order, by three queries for all of them.
    static func records(of images: [Image], for project: String?, _ db: Database) throws -> [ImageRecord] {
        let ids = try encoded(images.map(\.id.description))
        let among = "IN (SELECT value FROM json_each(?))"
        let representations = try Row.fetchAll(
            db, sql: "SELECT * FROM representation WHERE image \(among)", arguments: [ids]
        ).map(Representation.init)
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT location.*, listed_location.metadata AS listed_metadata FROM location
                LEFT JOIN listed_location ON listed_location.location = location.id
                WHERE image \(among)
                ORDER BY COALESCE(listed_location.position, 1000000), location.number
                """, arguments: [ids])
        let locations = try Dictionary(
            grouping: rows.map { ListedLocation(location: try Location($0), metadata: $0["listed_metadata"]) },
            by: \.location.image)
        var memberships: [String: Member.Status] = [:]
        if let project {
            for row in try Row.fetchAll(
                db, sql: "SELECT * FROM member WHERE image \(among) AND project = ?", arguments: [ids, project])
            {
                memberships[row["image"]] = try row.required("status") { Member.Status(rawValue: $0) }
            }
        }
        return images.map { image in
            ImageRecord(
                image: image, membership: memberships[image.id.description],
                representation: representations.first { $0.image == image.id && $0.format == image.format },
                locations: (locations[image.id] ?? []).filter {
                    $0.location.format == image.format && ListedLocation.shown.contains($0.location.state.status)
                })
        }
    }
}

extension ImageQuery.Scope {
    fileprivate var project: String? {
        if case .project(let project, _) = self { project } else { nil }
    }
}
