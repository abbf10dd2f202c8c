package import FoundationEssentials
import GRDB
package import ImageModel

extension SQLiteCatalog {
    package func recordDigestMismatch(
        of image: ImageID, format: Format, contributors: [LocationID], at time: Date, actor: String, reason: String
    ) async throws {
        try await write { db in
            try Self.setIntegrityHold(true, of: image, format, db)
            try db.execute(
                sql: "UPDATE representation SET held_since = ? WHERE image = ? AND disk_format = ? AND container_format = ?",
                arguments: [time.milliseconds, image.description, format.disk.rawValue, format.container.rawValue])
            for contributor in contributors { try Self.markSuspect(contributor, actor, reason, time, db) }
            try Self.settleIntegrityHold(of: image, format, db)
        }
    }

    package func recordRejectedChunk(
        by contributors: [LocationID], at time: Date, actor: String, reason: String
    ) async throws {
        try await write { db in
            for contributor in contributors {
                try Self.markSuspect(contributor, actor, reason, time, db)
                // The manifest that rejected the chunk may have been deleted by now.
                guard let location = try Self.location(contributor, db) else { continue }
                try Self.settleIntegrityHold(of: location.image, location.format, db)
            }
        }
    }

    private static func markSuspect(
        _ id: LocationID, _ actor: String, _ reason: String, _ time: Date, _ db: Database
    ) throws {
        // The location was deleted meanwhile.
        guard let location = try location(id, db) else { return }
        try db.execute(sql: "UPDATE location SET suspect = 1 WHERE id = ?", arguments: [id.description])
        let status = location.state.status
        try note(.markedSuspect, id, from: status, to: status, actor, reason, time, db)
    }

    package func recordVerification(of id: LocationID, validator: Validator?, at time: Date) async throws {
        try await write { db in
            let location = try Self.requiredLocation(id, db)
            try Self.clear(location, validator, reason: "a download that it served alone matched the digest", time, db)
        }
    }

    package func recordMatch(of id: LocationID, _ content: LocationContent, at time: Date) async throws -> Location {
        try await write { db in
            let location = try Self.requiredLocation(id, db)
            try Self.learn(content, of: location, db)
            try Self.clear(location, content.validator, reason: "a full read of it alone matched", time, db)
            try Self.forgetReadProgress(of: id, db)
            guard location.state.status == .verifying else { return try Self.requiredLocation(id, db) }
            return try Self.apply(
                LocationChange(.matched, of: id, actor: "baton", reason: "a full read of it alone matched", at: time), db)
        }
    }

    /// Stores the size and the digests that a read computed and that were not declared. Declared values are kept.
    private static func learn(_ content: LocationContent, of location: Location, _ db: Database) throws {
        let contradicted = location.digests.all.first { content.digests[$0.algorithm] != $0 }
        guard location.size ?? content.size == content.size, contradicted == nil else {
            throw CatalogError.differentContent(
                declared: "\(content.size) bytes, \(content.digests.identity?.description ?? "no digest")",
                existing: "\(location.size ?? content.size) bytes, \(contradicted?.description ?? "")")
        }
        var digests = location.digests
        var computed = location.computed
        for digest in content.digests.all where digests[digest.algorithm] == nil {
            digests[digest.algorithm] = digest
            computed.insert(digest.algorithm)
        }
        let isIdentified = try join(location.image, location.format, size: content.size, digests: digests, db)
        try db.execute(
            sql: """
                UPDATE location SET size = ?, sha256 = ?, sha512 = ?, sha1 = ?, md5 = ?, computed = ?, identified = ? WHERE id = ?
                """,
            arguments: [
                content.size, digests[.sha256]?.hex, digests[.sha512]?.hex, digests[.sha1]?.hex, digests[.md5]?.hex,
                try encoded(computed.sorted { $0.rawValue < $1.rawValue }), isIdentified, location.id.description,
            ])
    }

    private static func clear(
        _ location: Location, _ validator: Validator?, reason: String, _ time: Date, _ db: Database
    ) throws {
        // Only the validator of this read: a probe's validator may be that of another object.
        try db.execute(
            sql: """
                UPDATE location SET suspect = 0, verified_at = ?, validator = ?, next_read_at = NULL,
                    failed_reads = 0, misses = '[]' WHERE id = ?
                """,
            arguments: [time.milliseconds, validator?.text, location.id.description])
        let status = location.state.status
        try note(.verified, location.id, from: status, to: status, "baton", reason, time, db)
        try settleIntegrityHold(of: location.image, location.format, db)
    }

    package func recordFailedRead(of id: LocationID, nextReadAt: Date) async throws {
        try await write { db in
            try db.execute(
                sql: "UPDATE location SET next_read_at = ?, failed_reads = failed_reads + 1 WHERE id = ?",
                arguments: [nextReadAt.milliseconds, id.description])
        }
    }

    package func postponeRead(of id: LocationID, until nextReadAt: Date) async throws {
        try await write { db in
            try db.execute(
                sql: "UPDATE location SET next_read_at = ? WHERE id = ?",
                arguments: [nextReadAt.milliseconds, id.description])
        }
    }

    package func recordMiss(of id: LocationID, at time: Date, nextReadAt: Date) async throws -> Absence {
        try await write { db in
            let location = try Self.requiredLocation(id, db)
            let row = try Row.fetchOne(db, sql: "SELECT misses FROM location WHERE id = ?", arguments: [id.description])
            let known = try row?.decoded("misses", as: [Int64].self) ?? []
            // Several misses within the interval count as one.
            let interval = nextReadAt.milliseconds - time.milliseconds
            let isNew = known.last.map { time.milliseconds - $0 >= interval } ?? true
            let recent = known.filter { $0 > time.milliseconds - 86_400_000 }
            let misses = isNew || recent.isEmpty ? recent + [time.milliseconds] : recent
            try db.execute(
                sql: "UPDATE location SET misses = ?, next_read_at = ? WHERE id = ?",
                arguments: [try encoded(misses), nextReadAt.milliseconds, id.description])
            let status = location.state.status
            try Self.note(.missed, id, from: status, to: status, "baton", "the backend has no such object", time, db)
            let isBackendReadable =
                try Bool.fetchOne(
                    db, sql: "SELECT EXISTS (SELECT 1 FROM location WHERE backend = ? AND id <> ? AND verified_at >= ?)",
                    arguments: [location.backend.name, id.description, misses[0]]) ?? false
            return Absence(misses: misses.map { Date(milliseconds: $0) }, isBackendReadable: isBackendReadable)
        }
    }

    package func recordDigestConflict(of id: LocationID, reason: String, at time: Date) async throws {
        try await write { db in
            let location = try Self.requiredLocation(id, db)
            try db.execute(
                sql:
                    "UPDATE representation SET digest_conflict = 1 WHERE image = ? AND disk_format = ? AND container_format = ?",
                arguments: [
                    location.image.description, location.format.disk.rawValue, location.format.container.rawValue,
                ])
            let status = location.state.status
            try Self.note(.digestConflict, id, from: status, to: status, "baton", reason, time, db)
        }
    }

    /// Updates the integrity hold of a representation. It remains while a suspect may serve, now or later, and no manifest
    /// keeps wrong bytes from being sent.
    static func settleIntegrityHold(of image: ImageID, _ format: Format, _ db: Database) throws {
        let settled: Set<LocationStatus> = [.quarantined, .pendingDelete, .deleted]
        let isOpen =
            try !hasManifest(image, format, db)
            && locations(of: image, db).contains {
                $0.format == format && $0.isSuspect && !settled.contains($0.state.status)
            }
        // In both directions: a suspect that an operator brings back also brings back the hold.
        try setIntegrityHold(isOpen, of: image, format, db)
    }

    private static func setIntegrityHold(_ isOnIntegrityHold: Bool, of image: ImageID, _ format: Format, _ db: Database) throws
    {
        try db.execute(
            sql: """
                UPDATE representation SET integrity_hold = ?
                WHERE image = ? AND disk_format = ? AND container_format = ? AND integrity_hold <> ?
                """,
            arguments: [
                isOnIntegrityHold, image.description, format.disk.rawValue, format.container.rawValue, isOnIntegrityHold,
            ])
    }
}
