package import FoundationEssentials
import GRDB
package import ImageModel

// Manifests.
extension SQLiteCatalog {
    package func addManifest(
        _ layout: ChunkLayout, pages: [ManifestPage], of representation: Representation, at time: Date
    ) async throws -> Bool {
        try await write { db in
            let known = try Self.representations(of: representation.image, db).first { $0.format == representation.format }
            guard let known, known.size == layout.size, known.identity == representation.identity, !known.hasDigestConflict,
                try Self.manifest(of: known, db) == nil
            else { return false }
            // Removes a manifest that this version can't read.
            try db.execute(
                sql: "DELETE FROM manifest WHERE image = ? AND disk_format = ? AND container_format = ?",
                arguments: [known.image.description, known.format.disk.rawValue, known.format.container.rawValue])
            try db.execute(
                sql: """
                    INSERT INTO manifest
                        (image, disk_format, container_format, identity, size, chunk_size, algorithm, made_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    known.image.description, known.format.disk.rawValue, known.format.container.rawValue,
                    known.identity.description, layout.size, layout.chunkSize, layout.algorithm.rawValue, time.milliseconds,
                ])
            let number = db.lastInsertedRowID
            for page in pages {
                try db.execute(
                    sql: "INSERT INTO manifest_page (manifest, page, digests, seal) VALUES (?, ?, ?, ?)",
                    arguments: [number, page.number, Data(page.digests), Data(page.seal)])
            }
            try Self.settleIntegrityHold(of: known.image, known.format, db)
            return true
        }
    }

    package func manifestPage(_ page: Int, of manifest: StoredManifest) async throws -> ManifestPage? {
        try await read { db in
            let row = try Row.fetchOne(
                db, sql: "SELECT digests, seal FROM manifest_page WHERE manifest = ? AND page = ?",
                arguments: [manifest.number, page])
            return row.map {
                ManifestPage(number: page, digests: Array($0["digests"] as Data), seal: Array($0["seal"] as Data))
            }
        }
    }

    package func forgetManifest(_ manifest: StoredManifest) async throws -> Bool {
        try await write { db in
            guard
                let row = try Row.fetchOne(db, sql: "SELECT * FROM manifest WHERE number = ?", arguments: [manifest.number])
            else { return false }
            try db.execute(sql: "DELETE FROM manifest WHERE number = ?", arguments: [manifest.number])
            try Self.settleIntegrityHold(of: try row.required("image") { ImageID($0) }, try row.format(), db)
            return true
        }
    }

    package func locationsForManifests(
        in backends: [BackendID], of images: [ImageID]?, after cursor: ManifestCandidates.Cursor?, limit: Int, at time: Date
    ) async throws -> ManifestCandidates {
        if backends.isEmpty || images?.isEmpty == true { return ManifestCandidates(locations: [], next: nil) }
        return try await read { db in
            func list(_ count: Int) -> String { Array(repeating: "?", count: count).joined(separator: ", ") }
            var arguments: StatementArguments = [time.milliseconds]
            arguments += StatementArguments(backends.map(\.name))
            if let images { arguments += StatementArguments(images.map(\.description)) }
            arguments += [cursor?.number ?? .max, limit]
            // A manifest of other bytes, which this version would not use, does not count: a full read replaces it.
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM location WHERE number IN (
                        SELECT MIN(held.number) FROM location AS held JOIN representation AS held_of
                            ON held_of.image = held.image AND held_of.disk_format = held.disk_format
                                AND held_of.container_format = held.container_format
                        WHERE held.status = 'active' AND held.identified = 1 AND held.suspect = 0
                            AND COALESCE(held.next_read_at, 0) <= ? AND held.backend IN (\(list(backends.count)))
                            AND held_of.size > 0 AND held_of.integrity_hold = 0 AND held_of.digest_conflict = 0
                            \(images.map { "AND held.image IN (\(list($0.count)))" } ?? "")
                            AND NOT EXISTS (
                                SELECT 1 FROM manifest WHERE manifest.image = held.image
                                    AND manifest.disk_format = held.disk_format
                                    AND manifest.container_format = held.container_format
                                    AND manifest.size = held_of.size
                                    AND manifest.identity = held_of.algorithm || ':' || held_of.digest)
                        GROUP BY held.image, held.disk_format, held.container_format
                    ) AND number < ? ORDER BY number DESC LIMIT ?
                    """, arguments: arguments)
            return ManifestCandidates(
                locations: try rows.map(Location.init),
                next: rows.count < limit ? nil : rows.last.map { ManifestCandidates.Cursor(number: $0["number"]) })
        }
    }

    static func hasManifest(_ image: ImageID, _ format: Format, _ db: Database) throws -> Bool {
        try representations(of: image, db).contains { try $0.format == format && manifest(of: $0, db) != nil }
    }

    /// The representation's manifest; nil if there is none, if its algorithm is unknown, or if it belongs to another content.
    static func manifest(of representation: Representation, _ db: Database) throws -> StoredManifest? {
        guard let row = try manifestRow(of: representation, db), row["identity"] == representation.identity.description,
            let algorithm = DigestAlgorithm(rawValue: row["algorithm"]), row["size"] == representation.size,
            let layout = ChunkLayout(size: representation.size, chunkSize: row["chunk_size"], algorithm: algorithm)
        else { return nil }
        return StoredManifest(number: row["number"], layout: layout, madeAt: Date(milliseconds: row["made_at"]))
    }

    private static func manifestRow(of representation: Representation, _ db: Database) throws -> Row? {
        try Row.fetchOne(
            db, sql: "SELECT * FROM manifest WHERE image = ? AND disk_format = ? AND container_format = ?",
            arguments: [
                representation.image.description, representation.format.disk.rawValue, representation.format.container.rawValue,
            ])
    }
}
