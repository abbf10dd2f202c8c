package import FoundationEssentials
import GRDB
package import ImageModel

extension SQLiteCatalog {
    /// Whether a location uses the file; tombstones do not.
    private static let isUsed = """
        EXISTS (SELECT 1 FROM location WHERE location.backend = upload.backend AND location.path = upload.path
            AND location.status <> 'deleted')
        """

    /// Whether the image's upload is still running.
    private static let isReceiving = """
        (state = 'receiving' AND EXISTS (SELECT 1 FROM image WHERE image.id = upload.image AND image.status = 'saving'))
        """

    private static let isOrphan = "(NOT \(isReceiving) AND NOT \(isUsed))"

    package func uploads(in backend: BackendID, _ query: UploadQuery) async throws -> [UploadRecord] {
        try await read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT *, \(Self.isOrphan) AS orphan FROM upload WHERE backend = ? AND path > ?
                        \(query.onlyOrphans ? "AND \(Self.isOrphan)" : "") ORDER BY path LIMIT ?
                    """, arguments: [backend.name, query.marker ?? "", query.limit]
            ).map(UploadRecord.init)
        }
    }

    package func unknownPaths(among paths: [String], in backend: BackendID) async throws -> [String] {
        try await read { db in
            try String.fetchAll(
                db,
                sql: """
                    SELECT value FROM json_each(?) WHERE
                        NOT EXISTS (SELECT 1 FROM upload WHERE backend = ? AND path = value)
                        AND NOT EXISTS (SELECT 1 FROM location WHERE backend = ? AND path = value AND status <> 'deleted')
                        ORDER BY value
                    """, arguments: [try encoded(paths), backend.name, backend.name])
        }
    }

    package func uploadStatistics() async throws -> UploadStatistics {
        try await read { db in
            var counts: [Bool: UploadStatistics.Count] = [:]
            for row in try Row.fetchAll(
                db,
                sql: "SELECT \(Self.isOrphan) AS orphan, COUNT(*) AS files, SUM(size) AS bytes FROM upload GROUP BY orphan")
            {
                counts[row["orphan"]] = UploadStatistics.Count(files: row["files"], bytes: row["bytes"])
            }
            let none = UploadStatistics.Count(files: 0, bytes: 0)
            return UploadStatistics(used: counts[false] ?? none, orphaned: counts[true] ?? none)
        }
    }

    package func uploadedBytes(of owner: String?) async throws -> Int64 {
        try await read { db in try Self.uploadedBytes(of: owner, db) }
    }

    private static func uploadedBytes(of owner: String?, _ db: Database) throws -> Int64 {
        try Int64.fetchOne(
            db,
            sql:
                "SELECT COALESCE(SUM(upload.size), 0) FROM upload JOIN image ON image.id = upload.image WHERE image.owner IS ?",
            arguments: [owner]) ?? 0
    }

    package func expireUploads(in backend: BackendID, at time: Date, delay: Duration) async throws -> [UploadPath] {
        try await write { db in
            let now = time.milliseconds
            try db.execute(
                sql:
                    "UPDATE upload SET expires_at = NULL WHERE backend = ? AND state = 'stored' AND expires_at IS NOT NULL AND \(Self.isUsed)",
                arguments: [backend.name])
            try db.execute(
                sql: """
                    UPDATE upload SET expires_at = CASE
                        WHEN state = 'stored' AND NOT EXISTS (SELECT 1 FROM image WHERE image.id = upload.image) THEN ? ELSE ? END
                    WHERE backend = ? AND expires_at IS NULL AND \(Self.isOrphan)
                    """, arguments: [(time + delay / .seconds(1)).milliseconds, now, backend.name])
            try db.execute(
                sql: "UPDATE upload SET state = 'removing' WHERE backend = ? AND expires_at <= ? AND \(Self.isOrphan)",
                arguments: [backend.name, now])
            return try Row.fetchAll(
                db, sql: "SELECT * FROM upload WHERE backend = ? AND state = 'removing' ORDER BY path",
                arguments: [backend.name]
            ).map { UploadPath(backend: BackendID($0["backend"]), path: $0["path"]) }
        }
    }

    package func forgetUpload(_ upload: UploadPath) async throws {
        try await write { db in
            try db.execute(
                sql: "DELETE FROM upload WHERE backend = ? AND path = ? AND state = 'removing'",
                arguments: [upload.backend.name, upload.path])
        }
    }

    /// Records a step of an image's upload, in the transaction that changes the image.
    /// - Throws: `CatalogError`: `overQuota`, or `uploadRemoved` while the file of an earlier upload is being deleted.
    static func apply(_ step: UploadStep, to image: Image, at time: Date, _ db: Database) throws {
        switch step {
        case .begin(let upload, let announced, let quota):
            let isBeingRemoved = try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM upload WHERE backend = ? AND path = ? AND state = 'removing')",
                arguments: [upload.backend.name, upload.path])
            guard isBeingRemoved != true else { throw CatalogError.uploadRemoved(image.id) }
            try db.execute(
                sql: """
                    INSERT OR REPLACE INTO upload (backend, path, image, owner, size, state, created_at)
                    VALUES (?, ?, ?, ?, ?, 'receiving', ?)
                    """,
                arguments: [
                    upload.backend.name, upload.path, image.id.description, image.owner, announced ?? 0, time.milliseconds,
                ])
            try check(quota, of: image, at: time, db)
        case .finish(let upload, let size, let quota):
            // The row exists, unless maintenance took it for that of a failed upload.
            try db.execute(
                sql: """
                    INSERT INTO upload (backend, path, image, owner, size, state, created_at) VALUES (?, ?, ?, ?, ?, 'stored', ?)
                    ON CONFLICT (backend, path) DO UPDATE SET size = excluded.size, state = 'stored', expires_at = NULL
                    """,
                arguments: [
                    upload.backend.name, upload.path, image.id.description, image.owner, size, time.milliseconds,
                ])
            try check(quota, of: image, at: time, db)
        case .abandon(let upload):
            try db.execute(
                sql: "DELETE FROM upload WHERE backend = ? AND path = ? AND state = 'receiving'",
                arguments: [upload.backend.name, upload.path])
        }
    }

    /// Checks the uploads of the image's project, including this one, against its quota. Files of deleted images do not count,
    /// and are deleted without further delay once they would exceed the quota. A project that uploads and deletes repeatedly
    /// thus can't fill the disk.
    private static func check(_ quota: ProjectQuota, of image: Image, at time: Date, _ db: Database) throws {
        guard let limit = quota.bytes else { return }
        let used = try uploadedBytes(of: image.owner, db)
        guard used <= limit else { throw CatalogError.overQuota(.bytes(limit: limit)) }
        let orphaned = "owner IS ? AND state = 'stored' AND NOT EXISTS (SELECT 1 FROM image WHERE image.id = upload.image)"
        let waiting =
            try Int64.fetchOne(
                db, sql: "SELECT COALESCE(SUM(size), 0) FROM upload WHERE \(orphaned)", arguments: [image.owner]) ?? 0
        guard waiting > limit - used else { return }
        try db.execute(
            sql: "UPDATE upload SET expires_at = ? WHERE (expires_at IS NULL OR expires_at > ?) AND \(orphaned)",
            arguments: [time.milliseconds, time.milliseconds, image.owner])
    }

    /// Checks the number of a project's images, including a new one, against its quota.
    static func checkImages(of owner: String?, _ quota: ProjectQuota, _ db: Database) throws {
        guard let limit = quota.images else { return }
        let count = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM image WHERE owner IS ?", arguments: [owner]) ?? 0
        guard count < limit else { throw CatalogError.overQuota(.images(limit: limit)) }
    }
}

extension UploadRecord {
    init(_ row: Row) throws {
        self.init(
            file: UploadPath(backend: BackendID(row["backend"]), path: row["path"]),
            image: try row.required("image") { ImageID($0) }, owner: row["owner"], size: row["size"],
            state: try row.required("state") { State(rawValue: $0) }, createdAt: Date(milliseconds: row["created_at"]),
            isOrphan: row["orphan"], expiresAt: row.date("expires_at"))
    }
}
