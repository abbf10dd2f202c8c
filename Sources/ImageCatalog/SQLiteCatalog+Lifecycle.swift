public import FoundationEssentials
internal import GRDB
public import ImageModel

extension SQLiteCatalog {
    /// Takes a location through an event.
    public func apply(
        _ event: LocationEvent, to id: LocationID, actor: String, reason: String, at time: Date, validator: Validator?
    ) async throws -> Location {
        try await write { db in try Self.apply(event, to: id, actor, reason, time, validator, db) }
    }

    /// Ends the reads that a restart cut off.
    public func recoverAfterStart(at time: Date) async throws -> [Location] {
        try await write { db in
            let rows = try Row.fetchAll(db, sql: "SELECT * FROM location WHERE status = 'verifying' ORDER BY number")
            return try rows.map(Location.init).map {
                try Self.apply(.unreachable, to: $0.id, "baton", "the service was started again", time, nil, db)
            }
        }
    }

    /// Puts a representation in doubt and accuses who contributed.
    public func recordFailedProof(
        of image: ImageID, format: Format, contributors: [LocationID], at time: Date, actor: String, reason: String
    ) async throws {
        try await write { db in
            try Self.setDoubt(true, of: image, format, db)
            try db.execute(
                sql: "UPDATE representation SET doubted_at = ? WHERE image = ? AND disk_format = ? AND container_format = ?",
                arguments: [time.milliseconds, image.description, format.disk.rawValue, format.container.rawValue])
            for contributor in contributors {
                // Deleted meanwhile: there is nobody left to accuse.
                guard let location = try Self.location(contributor, db) else { continue }
                try db.execute(sql: "UPDATE location SET accused = 1 WHERE id = ?", arguments: [contributor.description])
                let status = location.state.status
                try Self.note("accused", contributor, from: status, to: status, actor, reason, time, db)
            }
            try Self.settleDoubt(of: image, format, db)
        }
    }

    /// Clears a location, and its representation with the last one.
    public func recordProof(of id: LocationID, validator: Validator?, at time: Date) async throws {
        try await write { db in
            let location = try Self.requiredLocation(id, db)
            try db.execute(
                sql: "UPDATE location SET accused = 0, proven_at = ?, validator = COALESCE(?, validator) WHERE id = ?",
                arguments: [time.milliseconds, validator?.text, id.description])
            let status = location.state.status
            let reason = "a read of it alone matched the digest"
            try Self.note("proven", id, from: status, to: status, "baton", reason, time, db)
            try Self.settleDoubt(of: location.image, location.format, db)
        }
    }

    static func apply(
        _ event: LocationEvent, to id: LocationID, _ actor: String, _ reason: String, _ time: Date, _ validator: Validator?,
        _ db: Database
    ) throws -> Location {
        let location = try requiredLocation(id, db)
        var state = location.state
        try state.apply(event)
        if event == .suspect {
            let siblings = try locations(of: location.image, db).filter { $0.format == location.format && $0.id != id }
            guard siblings.contains(where: \.state.status.serves) else { throw CatalogError.lastActive(id) }
        }
        try db.execute(
            sql: "UPDATE location SET status = ?, before = ?, validator = COALESCE(?, validator) WHERE id = ?",
            arguments: [state.status.rawValue, try encoded(state.before), validator?.text, id.description])
        if state.status.serves {
            try db.execute(
                sql: """
                    UPDATE image SET status = 'active', updated_at = ? WHERE id = ? AND status IN ('queued', 'importing')
                    """,
                arguments: [time.milliseconds, location.image.description])
        }
        try note(event.rawValue, id, from: location.state.status, to: state.status, actor, reason, time, db)
        try settleDoubt(of: location.image, location.format, db)
        return try requiredLocation(id, db)
    }

    /// A representation is in doubt as long as someone accused may still serve it, now or again.
    private static func settleDoubt(of image: ImageID, _ format: Format, _ db: Database) throws {
        let settled: Set<LocationStatus> = [.quarantined, .pendingDelete, .deleted]
        let isOpen = try locations(of: image, db).contains {
            $0.format == format && $0.isAccused && !settled.contains($0.state.status)
        }
        if !isOpen { try setDoubt(false, of: image, format, db) }
    }

    private static func setDoubt(_ isInDoubt: Bool, of image: ImageID, _ format: Format, _ db: Database) throws {
        try db.execute(
            sql: """
                UPDATE representation SET in_doubt = ?
                WHERE image = ? AND disk_format = ? AND container_format = ? AND in_doubt <> ?
                """,
            arguments: [isInDoubt, image.description, format.disk.rawValue, format.container.rawValue, isInDoubt])
    }
}
