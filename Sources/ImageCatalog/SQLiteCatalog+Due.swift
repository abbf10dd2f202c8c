public import FoundationEssentials
internal import GRDB
public import ImageModel

// What is to be done without anybody asking.
extension SQLiteCatalog {
    /// The active locations that are accused.
    public func accusedLocations() async throws -> [Location] {
        try await read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM location WHERE accused = 1 AND status = 'active' ORDER BY number")
                .map(Location.init)
        }
    }

    /// What is to be done with locations now.
    public func dueLocations(at time: Date) async throws -> DueLocations {
        try await read { db in
            func all(_ condition: String, _ arguments: StatementArguments = []) throws -> [Location] {
                try Row.fetchAll(db, sql: "SELECT * FROM location WHERE \(condition) ORDER BY number", arguments: arguments)
                    .map(Location.init)
            }
            let now = time.milliseconds
            return DueLocations(
                // What an import brings is read in full first, whatever was declared.
                toProbe: try all(
                    """
                    status = 'pending' AND identified = 1 AND COALESCE(next_read_at, 0) <= ?
                        AND NOT EXISTS (SELECT 1 FROM image WHERE image.id = location.image AND image.status = 'importing')
                    """, [now]),
                toRead: try all(
                    """
                    (status = 'pending' AND identified = 0 AND COALESCE(next_read_at, 0) <= ?)
                        OR (status = 'quarantined' AND COALESCE(next_read_at, 0) <= ?)
                        OR (status = 'active' AND next_read_at <= ?)
                        OR status = 'verifying'
                        OR (status = 'active' AND accused = 1 AND COALESCE(next_read_at, 0) <= ?)
                    """, [now, now, now, now]),
                toExpire: try all("status = 'pending_delete' AND expires_at <= ?", [now]))
        }
    }

    /// The active location whose last proof is the oldest.
    public func nextToScrub(provenBefore date: Date, at time: Date) async throws -> Location? {
        try await read { db in
            try Row.fetchOne(
                db,
                sql: """
                    SELECT * FROM location WHERE status = 'active' AND (proven_at IS NULL OR proven_at < ?)
                        AND COALESCE(next_read_at, 0) <= ? ORDER BY proven_at, number LIMIT 1
                    """, arguments: [date.milliseconds, time.milliseconds]
            ).map(Location.init)
        }
    }

    /// Counts the locations and manifests.
    public func census(provenBefore date: Date) async throws -> LocationCensus {
        try await read { db in
            var counts: [LocationStatus: Int] = [:]
            for row in try Row.fetchAll(db, sql: "SELECT status, COUNT(*) AS count FROM location GROUP BY status") {
                counts[try row.required("status") { LocationStatus(rawValue: $0) }] = row["count"]
            }
            let proofs = try Row.fetchOne(
                db,
                sql: """
                    SELECT COUNT(*) FILTER (WHERE proven_at IS NULL OR proven_at < ?) AS unproven, MIN(proven_at) AS oldest
                        FROM location WHERE status = 'active'
                    """, arguments: [date.milliseconds])
            func count(_ sql: String) throws -> Int { try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM \(sql)") ?? 0 }
            return LocationCensus(
                counts: counts, unproven: proofs?["unproven"] ?? 0, oldestProof: proofs?.date("oldest"),
                representations: try count("representation WHERE size > 0"), manifests: try count("manifest"))
        }
    }
}
