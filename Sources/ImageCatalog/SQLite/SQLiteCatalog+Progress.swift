package import FoundationEssentials
import GRDB
package import ImageModel

// The progress of unfinished reads.
extension SQLiteCatalog {
    package func readProgress(of location: LocationID) async throws -> ReadProgress? {
        try await read { db in
            try Row.fetchOne(
                db, sql: "SELECT * FROM read_progress WHERE location = ?", arguments: [location.description]
            ).map { row in
                ReadProgress(
                    position: row["position"], size: row["size"],
                    validator: (row["validator"] as String?).map { Validator($0) }, digests: Array(row["digests"] as Data),
                    chunks: try Self.chunks(row, of: location, db))
            }
        }
    }

    private static func chunks(_ row: Row, of location: LocationID, _ db: Database) throws -> ReadProgress.Chunks? {
        guard let state: Data = row["chunk_state"], let algorithm = DigestAlgorithm(rawValue: row["chunk_algorithm"]),
            let layout = ChunkLayout(size: row["size"], chunkSize: row["chunk_size"], algorithm: algorithm)
        else { return nil }
        let pages = try Data.fetchAll(
            db, sql: "SELECT digests FROM read_progress_page WHERE location = ? ORDER BY page",
            arguments: [location.description])
        return ReadProgress.Chunks(layout: layout, digests: pages.flatMap { Array($0) }, state: Array(state))
    }

    static func forgetReadProgress(of location: LocationID, _ db: Database) throws {
        try db.execute(sql: "DELETE FROM read_progress WHERE location = ?", arguments: [location.description])
    }

    package func saveReadProgress(_ progress: ReadProgress?, of location: LocationID, at time: Date) async throws {
        try await write { db in
            guard let progress else { return try Self.forgetReadProgress(of: location, db) }
            // The location may have been deleted meanwhile, alone or with its image.
            guard let status = try Self.location(location, db)?.state.status, status != .deleted else { return }
            let known = try Row.fetchOne(
                db, sql: "SELECT position, size, validator, chunk_size, chunk_algorithm FROM read_progress WHERE location = ?",
                arguments: [location.description])
            // A read that restarted, since its object changed, has other chunks, and so has one with another layout.
            let isContinued =
                known.map {
                    $0["position"] <= progress.position && $0["size"] == progress.size
                        && $0["validator"] == progress.validator?.text
                        && $0["chunk_size"] == progress.chunks?.layout.chunkSize
                        && $0["chunk_algorithm"] == progress.chunks?.layout.algorithm.rawValue
                } ?? false
            // INSERT OR REPLACE would delete the pages as well.
            try db.execute(
                sql: """
                    INSERT INTO read_progress (location, position, size, validator, digests, saved_at, chunk_size,
                        chunk_algorithm, chunk_state)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT (location) DO UPDATE SET position = excluded.position, size = excluded.size,
                        validator = excluded.validator, digests = excluded.digests, saved_at = excluded.saved_at,
                        chunk_size = excluded.chunk_size, chunk_algorithm = excluded.chunk_algorithm,
                        chunk_state = excluded.chunk_state
                    """,
                arguments: [
                    location.description, progress.position, progress.size, progress.validator?.text,
                    Data(progress.digests), time.milliseconds, progress.chunks?.layout.chunkSize,
                    progress.chunks?.layout.algorithm.rawValue, progress.chunks.map { Data($0.state) },
                ])
            try Self.savePages(of: progress.chunks, location, isContinued: isContinued, db)
        }
    }

    /// Writes only pages that are new or have grown, so that the cost of a checkpoint depends on the bytes read since the last
    /// one.
    private static func savePages(
        of chunks: ReadProgress.Chunks?, _ location: LocationID, isContinued: Bool, _ db: Database
    ) throws {
        let id = location.description
        if chunks == nil || !isContinued {
            try db.execute(sql: "DELETE FROM read_progress_page WHERE location = ?", arguments: [id])
        }
        guard let chunks else { return }
        let length = ChunkLayout.chunksPerPage * chunks.layout.algorithm.byteCount
        let grown =
            try Int.fetchOne(db, sql: "SELECT MAX(page) FROM read_progress_page WHERE location = ?", arguments: [id]) ?? 0
        for first in stride(from: grown * length, to: chunks.digests.count, by: length) {
            try db.execute(
                sql: "INSERT OR REPLACE INTO read_progress_page (location, page, digests) VALUES (?, ?, ?)",
                arguments: [id, first / length, Data(chunks.digests[first..<min(chunks.digests.count, first + length)])])
        }
    }
}
