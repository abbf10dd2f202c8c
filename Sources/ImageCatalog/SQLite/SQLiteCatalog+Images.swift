import FoundationEssentials
import GRDB
package import ImageModel

extension SQLiteCatalog {
    package func createImage(_ image: Image, quota: ProjectQuota) async throws {
        try await write { db in
            try Self.checkImages(of: image.owner, quota, db)
            try Self.createImage(image, db)
        }
    }

    static func createImage(_ image: Image, _ db: Database) throws {
        guard try Self.image(image.id, db) == nil else { throw CatalogError.imageExists(image.id) }
        let isUsedUp = try Bool.fetchOne(
            db, sql: "SELECT EXISTS (SELECT 1 FROM former_image WHERE id = ?)", arguments: [image.id.description])
        guard isUsedUp != true else { throw CatalogError.formerImage(image.id) }
        try db.execute(
            sql: """
                INSERT INTO image (id, name, status, visibility, disk_format, container_format, min_disk, min_ram,
                    protected, hidden, owner, tags, properties, created_at, updated_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                image.id.description, image.name, image.status.rawValue, image.visibility.rawValue,
                image.diskFormat?.rawValue, image.containerFormat?.rawValue, image.minDisk, image.minRAM,
                image.isProtected, image.isHidden, image.owner, try encoded(image.tags), try encoded(image.properties),
                image.createdAt.milliseconds, image.updatedAt.milliseconds,
            ])
    }

    package func image(_ id: ImageID) async throws -> Image? {
        try await read { db in try Self.image(id, db) }
    }

    package func deleteImage(_ id: ImageID) async throws {
        try await write { db in
            guard let image = try Self.image(id, db) else { throw CatalogError.unknownImage(id) }
            guard !image.isProtected else { throw CatalogError.protectedImage(id) }
            try db.execute(sql: "DELETE FROM image WHERE id = ?", arguments: [id.description])
        }
    }

    package func hasUsed(_ id: ImageID) async throws -> Bool {
        try await read { db in
            try Bool.fetchOne(
                db,
                sql: """
                    SELECT EXISTS (SELECT 1 FROM image WHERE id = ?1) OR EXISTS (SELECT 1 FROM former_image WHERE id = ?1)
                    """, arguments: [id.description]) ?? false
        }
    }

    package func resolve(_ id: ImageID, format requested: RequestedFormat) async throws -> Resolution? {
        try await read { db in
            guard let image = try Self.image(id, db) else { return nil }
            let representations = try Self.representations(of: id, db)
            let all = try Self.locations(of: id, db)
            var formats = representations.map(\.format)
            for location in all where !formats.contains(location.format) { formats.append(location.format) }
            let format: Format? =
                if let disk = requested.disk ?? image.diskFormat, let container = requested.container ?? image.containerFormat {
                    Format(disk: disk, container: container)
                } else {
                    nil
                }
            let representation = representations.first { $0.format == format }
            return Resolution(
                image: image, representation: representation,
                manifest: try representation.flatMap { try Self.manifest(of: $0, db) },
                locations: all.filter { $0.format == format && $0.state.status != .deleted }, formats: formats, format: format)
        }
    }

    static func representations(of image: ImageID, _ db: Database) throws -> [Representation] {
        try Row.fetchAll(
            db, sql: "SELECT * FROM representation WHERE image = ? ORDER BY rowid", arguments: [image.description]
        ).map(Representation.init)
    }

    static func image(_ id: ImageID, _ db: Database) throws -> Image? {
        try Row.fetchOne(db, sql: "SELECT * FROM image WHERE id = ?", arguments: [id.description]).map(Image.init)
    }
}
