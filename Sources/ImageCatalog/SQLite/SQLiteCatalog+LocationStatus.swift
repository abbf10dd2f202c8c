package import FoundationEssentials
import GRDB
package import ImageModel

extension SQLiteCatalog {
    package func apply(_ change: LocationChange) async throws -> Location {
        try await write { db in try Self.apply(change, db) }
    }

    package func edit(
        _ id: LocationID, _ edit: LocationEdit, actor: String, reason: String, at time: Date
    ) async throws -> Location {
        try await write { db in
            let location = try Self.requiredLocation(id, db)
            try db.execute(
                sql: "UPDATE location SET weight = ?, tier = ?, metadata = ? WHERE id = ?",
                arguments: [
                    edit.weight ?? location.weight, edit.tier ?? location.tier,
                    try encoded(edit.metadata ?? location.metadata), id.description,
                ])
            let status = location.state.status
            try Self.note(.edited, id, from: status, to: status, actor, reason, time, db)
            return try Self.requiredLocation(id, db)
        }
    }

    package func history(of location: LocationID) async throws -> [LocationHistoryEntry] {
        try await read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM history WHERE location = ? ORDER BY number", arguments: [location.description]
            ).map(LocationHistoryEntry.init)
        }
    }

    package func recoverAfterStart(at time: Date) async throws -> [Location] {
        try await write { db in
            let rows = try Row.fetchAll(db, sql: "SELECT * FROM location WHERE status = 'verifying' ORDER BY number")
            return try rows.map(Location.init).map {
                try Self.apply(
                    LocationChange(
                        .unreachable, of: $0.id, actor: "baton", reason: "the service was started again", at: time), db)
            }
        }
    }

    package func recordProbeFailure(of id: LocationID, at time: Date, actor: String, reason: String) async throws {
        try await write { db in
            // It may have been activated or deleted meanwhile.
            guard let location = try Self.location(id, db), location.state.status == .pending else { return }
            try Self.note(.probeFailed, id, from: .pending, to: .pending, actor, reason, time, db)
        }
    }

    static func apply(_ change: LocationChange, _ db: Database) throws -> Location {
        let location = try requiredLocation(change.location, db)
        var state = location.state
        try state.apply(change.event)
        try checkOthers(change, location, db)
        if state.status.serves, !location.isIdentified { throw CatalogError.unidentified(location.id) }
        let failedReads =
            change.event == .mismatched || change.event == .quarantine ? location.failedReads + 1 : location.failedReads
        // A probe does not replace the validator of a full read.
        try db.execute(
            sql: """
                UPDATE location SET status = ?, before = ?,
                    validator = CASE WHEN verified_at IS NULL THEN COALESCE(?, validator) ELSE validator END,
                    next_read_at = ?, failed_reads = ?, expires_at = ? WHERE id = ?
                """,
            arguments: [
                state.status.rawValue, try encoded(state.before), change.validator?.text, change.nextReadAt?.milliseconds,
                failedReads, state.status == .pendingDelete ? change.expiresAt?.milliseconds : nil, location.id.description,
            ])
        if state.status.serves { try activate(location.image, at: change.time, db) }
        // A deleted location is never read again.
        if state.status == .deleted { try forgetReadProgress(of: location.id, db) }
        try note(
            LocationHistoryEvent(change.event), location.id, from: location.state.status, to: state.status, change.actor,
            change.reason, change.time, db)
        try settleIntegrityHold(of: location.image, location.format, db)
        return try requiredLocation(location.id, db)
    }

    /// Activates an image when its first location serves.
    private static func activate(_ image: ImageID, at time: Date, _ db: Database) throws {
        try db.execute(
            sql: "UPDATE image SET status = 'active', updated_at = ? WHERE id = ? AND status IN ('queued', 'importing')",
            arguments: [time.milliseconds, image.description])
    }

    /// Checks the events that are legal only while other locations of the image serve.
    private static func checkOthers(_ change: LocationChange, _ location: Location, _ db: Database) throws {
        guard location.state.status.serves else { return }
        let others = try locations(of: location.image, db).filter { $0.id != location.id && $0.state.status.serves }
        if change.event == .suspect, !others.contains(where: { $0.format == location.format }) {
            throw CatalogError.lastActive(location.id)
        }
        if change.event == .delete, !change.isForced, others.isEmpty { throw CatalogError.lastActiveDeletion(location.id) }
    }
}
