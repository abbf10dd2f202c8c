package import FoundationEssentials
import GRDB
package import ImageModel

extension SQLiteCatalog {
    package func addLocation(
        _ new: NewLocation, id: LocationID, at time: Date, actor: String, reason: String
    ) async throws -> Location {
        try await write { db in try Self.addLocation(new, id: id, at: time, actor: actor, reason: reason, db) }
    }

    static func addLocation(
        _ new: NewLocation, id: LocationID, at time: Date, actor: String, reason: String, _ db: Database
    ) throws -> Location {
        guard let image = try Self.image(new.image, db) else { throw CatalogError.unknownImage(new.image) }
        if let duplicate = try Self.locations(of: new.image, db).first(where: {
            $0.backend == new.backend && $0.path == new.path && $0.format == new.format && $0.state.status != .deleted
                && Self.fragment(of: $0.url) == Self.fragment(of: new.url)
        }) {
            throw CatalogError.duplicateLocation(duplicate.id)
        }
        let isIdentified = try Self.join(new.image, new.format, size: new.size, digests: new.digests, db)
        let digests = new.digests
        try db.execute(
            sql: """
                INSERT INTO location (id, image, disk_format, container_format, backend, path, url, status, before, size,
                    sha256, sha512, sha1, md5, identified, weight, tier, metadata, created_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', '[]', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                id.description, new.image.description, new.format.disk.rawValue, new.format.container.rawValue,
                new.backend.name, new.path, new.url, new.size, digests[.sha256]?.hex, digests[.sha512]?.hex,
                digests[.sha1]?.hex, digests[.md5]?.hex, isIdentified, new.weight, new.tier, try encoded(new.metadata),
                time.milliseconds,
            ])
        if image.format == nil {
            try db.execute(
                sql: """
                    UPDATE image SET disk_format = COALESCE(disk_format, ?),
                        container_format = COALESCE(container_format, ?), updated_at = ? WHERE id = ?
                    """,
                arguments: [
                    new.format.disk.rawValue, new.format.container.rawValue, time.milliseconds, new.image.description,
                ])
        }
        try Self.note(.registered, id, from: .pending, to: .pending, actor, reason, time, db)
        return try Self.requiredLocation(id, db)
    }

    /// The text after the first `#`. Glance's clients treat URLs with different fragments as different locations.
    private static func fragment(of url: String) -> Substring? {
        url.firstIndex(of: "#").map { url[$0...] }
    }

    /// Finds or creates the representation that a content belongs to.
    /// - Returns: whether the content is known to be the representation's; false while there is nothing to compare.
    static func join(
        _ image: ImageID, _ format: Format, size: Int64?, digests: DigestSet, _ db: Database
    ) throws -> Bool {
        let key: StatementArguments = [image.description, format.disk.rawValue, format.container.rawValue]
        guard let existing = try representations(of: image, db).first(where: { $0.format == format }) else {
            guard let size, let identity = digests.identity else { return false }
            try db.execute(
                sql: """
                    INSERT INTO representation (image, disk_format, container_format, size, algorithm, digest)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """, arguments: key + [size, identity.algorithm.rawValue, identity.hex])
            return true
        }
        let digest = digests[existing.identity.algorithm]
        guard size ?? existing.size == existing.size, digest ?? existing.identity == existing.identity else {
            let declared = [size.map { "\($0) bytes" }, digest?.description].compactMap(\.self).joined(separator: ", ")
            throw CatalogError.differentContent(
                declared: declared, existing: "\(existing.size) bytes, \(existing.identity)")
        }
        return size != nil && digest != nil
    }

    package func location(_ id: LocationID) async throws -> Location? {
        try await read { db in try Self.location(id, db) }
    }

    package func locations(of image: ImageID) async throws -> [Location] {
        try await read { db in try Self.locations(of: image, db) }
    }

    static func location(_ id: LocationID, _ db: Database) throws -> Location? {
        try Row.fetchOne(db, sql: "SELECT * FROM location WHERE id = ?", arguments: [id.description]).map(Location.init)
    }

    static func requiredLocation(_ id: LocationID, _ db: Database) throws -> Location {
        guard let location = try location(id, db) else { throw CatalogError.unknownLocation(id) }
        return location
    }

    static func locations(of image: ImageID, _ db: Database) throws -> [Location] {
        try Row.fetchAll(db, sql: "SELECT * FROM location WHERE image = ? ORDER BY number", arguments: [image.description])
            .map(Location.init)
    }

    static func note(
        _ event: LocationHistoryEvent, _ location: LocationID, from: LocationStatus, to: LocationStatus, _ actor: String,
        _ reason: String,
        _ time: Date, _ db: Database
    ) throws {
        try db.execute(
            sql: """
                INSERT INTO history (location, time, event, status_from, status_to, actor, reason) VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [location.description, time.milliseconds, event.rawValue, from.rawValue, to.rawValue, actor, reason])
    }
}
