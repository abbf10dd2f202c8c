package import FoundationEssentials
import GRDB
package import ImageModel

// Maintenance that is due.
extension SQLiteCatalog {
    package func suspects() async throws -> [Location] {
        try await read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM location WHERE suspect = 1 AND status = 'active' ORDER BY number")
                .map(Location.init)
        }
    }

    package func dueLocations(at time: Date) async throws -> DueLocations {
        try await read { db in
            func all(_ condition: String, _ arguments: StatementArguments = []) throws -> [Location] {
                try Row.fetchAll(db, sql: "SELECT * FROM location WHERE \(condition) ORDER BY number", arguments: arguments)
                    .map(Location.init)
            }
            let now = time.milliseconds
            return DueLocations(
                // The locations of an import are read in full first, whatever was declared.
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
                        OR (status = 'active' AND suspect = 1 AND COALESCE(next_read_at, 0) <= ?)
                    """, [now, now, now, now]),
                toExpire: try all("status = 'pending_delete' AND expires_at <= ?", [now]))
        }
    }

    package func nextToScrub(verifiedBefore date: Date, at time: Date) async throws -> Location? {
        try await read { db in
            try Row.fetchOne(
                db,
                sql: """
                    SELECT * FROM location WHERE status = 'active' AND (verified_at IS NULL OR verified_at < ?)
                        AND COALESCE(next_read_at, 0) <= ? ORDER BY verified_at, number LIMIT 1
                    """, arguments: [date.milliseconds, time.milliseconds]
            ).map(Location.init)
        }
    }

    package func statistics(verifiedBefore date: Date) async throws -> LocationStatistics {
        try await read { db in
            var counts: [LocationStatus: Int] = [:]
            for row in try Row.fetchAll(db, sql: "SELECT status, COUNT(*) AS count FROM location GROUP BY status") {
                counts[try row.required("status") { LocationStatus(rawValue: $0) }] = row["count"]
            }
            let verifications = try Row.fetchOne(
                db,
                sql: """
                    SELECT COUNT(*) FILTER (WHERE verified_at IS NULL OR verified_at < ?) AS unread, MIN(verified_at) AS oldest
                        FROM location WHERE status = 'active'
                    """, arguments: [date.milliseconds])
            func count(_ sql: String) throws -> Int { try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM \(sql)") ?? 0 }
            return LocationStatistics(
                counts: counts, withoutRecentRead: verifications?["unread"] ?? 0,
                oldestVerification: verifications?.date("oldest"),
                representations: try count("representation WHERE size > 0"), manifests: try count("manifest"))
        }
    }
}
