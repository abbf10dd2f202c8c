package import FoundationEssentials
import GRDB
package import ImageModel

extension SQLiteCatalog {
    package func update(
        _ id: ImageID, for project: String?, at time: Date, actor: String,
        _ change: @escaping @Sendable (inout ImageEdit) throws -> Void
    ) async throws -> ImageRecord {
        let outcome: Result<ImageRecord, any Error> = try await write { db in
            guard let image = try Self.image(id, db), let before = try Self.records(of: [image], for: project, db).first else {
                throw CatalogError.unknownImage(id)
            }
            var edit = ImageEdit(
                image: image, membership: before.membership, representation: before.representation,
                entries: before.locations.map { .kept($0, words: $0.location.metadata) })
            // Nothing was written yet, so an error of the closure leaves the catalog unchanged.
            do { try change(&edit) } catch { return .failure(error) }
            try Self.store(edit, over: before, time, actor, db)
            guard let changed = try Self.image(id, db), let after = try Self.records(of: [changed], for: project, db).first
            else { throw CatalogError.unknownImage(id) }
            return .success(after)
        }
        return try outcome.get()
    }

    /// Deletes locations, and representations that they alone had created.
    package func forget(_ locations: [LocationID]) async throws {
        try await write { db in try Self.forget(locations, db) }
    }

    private static func forget(_ locations: [LocationID], _ db: Database) throws {
        for id in locations {
            guard let location = try Self.location(id, db), try Self.hasNeverServed(location, db) else { continue }
            try db.execute(sql: "DELETE FROM location WHERE id = ?", arguments: [id.description])
            try db.execute(
                sql: """
                    DELETE FROM representation WHERE image = ? AND disk_format = ? AND container_format = ?
                        AND NOT EXISTS (SELECT 1 FROM location WHERE location.image = representation.image
                            AND location.disk_format = representation.disk_format
                            AND location.container_format = representation.container_format)
                    """,
                arguments: [
                    location.image.description, location.format.disk.rawValue, location.format.container.rawValue,
                ])
        }
    }

    /// The reason in the history of locations that a client set in an image's `locations`.
    private static let givenThroughAPI = "given through the Images API"

    private static func hasNeverServed(_ location: Location, _ db: Database) throws -> Bool {
        try Bool.fetchOne(
            db, sql: "SELECT NOT EXISTS (SELECT 1 FROM history WHERE location = ? AND status_to = 'active')",
            arguments: [location.id.description]) ?? false
    }

    package func imagesBeingSaved() async throws -> [ImageID] {
        try await read { db in
            try Row.fetchAll(db, sql: "SELECT id FROM image WHERE status = 'saving' ORDER BY id").map { row in
                try row.required("id") { ImageID($0) }
            }
        }
    }

    package func recoverUploads(_ images: [ImageID], at time: Date) async throws {
        try await write { db in try Self.recoverUploads(images, time, db) }
    }

    private static func recoverUploads(_ images: [ImageID], _ time: Date, _ db: Database) throws {
        for image in images {
            try db.execute(
                sql: """
                    UPDATE image SET updated_at = ?, status = CASE WHEN EXISTS (
                        SELECT 1 FROM location WHERE location.image = image.id AND location.status = 'active'
                    ) THEN 'active' ELSE 'queued' END WHERE status = 'saving' AND id = ?
                    """, arguments: [time.milliseconds, image.description])
        }
    }

    package func recoverImagesAfterStart(at time: Date, cutOff: [ImageID]) async throws {
        try await write { db in
            try Self.recoverUploads(cutOff, time, db)
            // Locations that the import registered and did not activate are removed.
            let imported = try Row.fetchAll(
                db,
                sql: """
                    SELECT location.id FROM location JOIN image ON image.id = location.image WHERE image.status = 'importing'
                        AND EXISTS (SELECT 1 FROM history WHERE history.location = location.id AND history.reason = ?)
                    """, arguments: [Self.givenThroughAPI]
            ).map { row in try row.required("id") { LocationID($0) } }
            try Self.forget(imported, db)
            try db.execute(
                sql: """
                    UPDATE image SET updated_at = ?, status = CASE WHEN EXISTS (
                        SELECT 1 FROM location WHERE location.image = image.id AND location.status = 'active'
                    ) THEN 'active' ELSE 'queued' END WHERE status = 'importing'
                    """, arguments: [time.milliseconds])
            try db.execute(
                sql: """
                    UPDATE task SET status = 'failure', message = 'the service was started again', updated_at = ?
                    WHERE status IN ('pending', 'processing')
                    """, arguments: [time.milliseconds])
        }
    }

    private static func store(
        _ edit: ImageEdit, over before: ImageRecord, _ time: Date, _ actor: String, _ db: Database
    ) throws {
        let image = edit.image
        try db.execute(
            sql: """
                UPDATE image SET name = ?, status = ?, visibility = ?, disk_format = ?, container_format = ?, min_disk = ?,
                    min_ram = ?, protected = ?, hidden = ?, owner = ?, tags = ?, properties = ?, updated_at = ? WHERE id = ?
                """,
            arguments: [
                image.name, image.status.rawValue, image.visibility.rawValue, image.diskFormat?.rawValue,
                image.containerFormat?.rawValue, image.minDisk, image.minRAM, image.isProtected, image.isHidden, image.owner,
                try encoded(image.tags), try encoded(image.properties), time.milliseconds, image.id.description,
            ])
        if let step = edit.upload { try apply(step, to: image, at: time, db) }
        guard !edit.keepsLocations(of: before) else { return }
        var kept: Set<LocationID> = []
        for (position, entry) in edit.entries.enumerated() {
            switch entry {
            case .kept(let listed, let words):
                kept.insert(listed.location.id)
                try db.execute(
                    sql: "UPDATE location SET metadata = ? WHERE id = ?",
                    arguments: [try encoded(words), listed.location.id.description])
                try list(listed.location.id, at: position, listed.metadata, db)
            case .new(let new):
                let reason = Self.givenThroughAPI
                try expirePendingDeletions(like: new.location, actor, time, db)
                _ = try addLocation(new.location, id: new.id, at: time, actor: actor, reason: reason, db)
                try list(new.id, at: position, new.metadata, db)
                guard new.isActive else { continue }
                _ = try apply(
                    LocationChange(
                        .probed, of: new.id, actor: actor, reason: reason, at: time, validator: new.validator), db)
            }
        }
        for gone in before.locations where !kept.contains(gone.location.id) {
            _ = try apply(
                LocationChange(
                    .delete, of: gone.location.id, actor: actor, reason: "removed through the Images API", at: time,
                    expiresAt: edit.expiresAt), db)
        }
    }

    /// Expires pending deletions of the same location: a client that adds it again wants a new record.
    private static func expirePendingDeletions(
        like new: NewLocation, _ actor: String, _ time: Date, _ db: Database
    ) throws {
        let waiting = try locations(of: new.image, db).filter {
            $0.backend == new.backend && $0.path == new.path && $0.format == new.format && $0.url == new.url
                && $0.state.status == .pendingDelete
        }
        for old in waiting {
            _ = try apply(LocationChange(.expire, of: old.id, actor: actor, reason: "given again", at: time), db)
        }
    }

    private static func list(_ location: LocationID, at position: Int, _ metadata: String?, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO listed_location (location, position, metadata) VALUES (?, ?, ?)
                ON CONFLICT (location) DO UPDATE SET position = excluded.position, metadata = excluded.metadata
                """, arguments: [location.description, position, metadata])
    }
}

extension ImageEdit {
    /// Whether the list of locations is unchanged, including its order and its metadata.
    fileprivate func keepsLocations(of before: ImageRecord) -> Bool {
        entries.count == before.locations.count
            && zip(entries, before.locations).allSatisfy { entry, listed in
                guard case .kept(let now, let words) = entry else { return false }
                return now == listed && words == listed.location.metadata
            }
    }
}
