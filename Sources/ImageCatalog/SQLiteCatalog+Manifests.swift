public import FoundationEssentials
internal import GRDB
public import ImageModel

// The digests of chunks.
extension SQLiteCatalog {
    /// Keeps a manifest.
    public func addManifest(
        _ layout: ChunkLayout, pages: [ManifestPage], of representation: Representation, at time: Date
    ) async throws -> Bool {
        try await write { db in
            let known = try Self.representations(of: representation.image, db).first { $0.format == representation.format }
            guard let known, known.size == layout.size, known.identity == representation.identity, !known.isDistrusted,
                try Self.manifest(of: known, db) == nil
            else { return false }
            // One that this version can't read is in the way.
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
            try Self.settleDoubt(of: known.image, known.format, db)
            return true
        }
    }

    /// One page of a manifest.
    public func manifestPage(_ page: Int, of manifest: StoredManifest) async throws -> ManifestPage? {
        try await read { db in
            let row = try Row.fetchOne(
                db, sql: "SELECT digests, seal FROM manifest_page WHERE manifest = ? AND page = ?",
                arguments: [manifest.number, page])
            return row.map {
                ManifestPage(number: page, digests: Array($0["digests"] as Data), seal: Array($0["seal"] as Data))
            }
        }
    }

    /// Forgets a manifest.
    public func forgetManifest(_ manifest: StoredManifest) async throws -> Bool {
        try await write { db in
            guard
                let row = try Row.fetchOne(db, sql: "SELECT * FROM manifest WHERE number = ?", arguments: [manifest.number])
            else { return false }
            try db.execute(sql: "DELETE FROM manifest WHERE number = ?", arguments: [manifest.number])
            try Self.settleDoubt(of: try row.required("image") { ImageID($0) }, try row.format(), db)
            return true
        }
    }

    /// Whether there is a manifest of the representation.
    static func hasManifest(_ image: ImageID, _ format: Format, _ db: Database) throws -> Bool {
        try representations(of: image, db).contains { try $0.format == format && manifest(of: $0, db) != nil }
    }

    /// An algorithm that this version does not know, or a manifest of another content, is as good as none.
    static func manifest(of representation: Representation, _ db: Database) throws -> StoredManifest? {
        guard let row = try manifestRow(of: representation, db), row["identity"] == representation.identity.description,
            let algorithm = DigestAlgorithm(rawValue: row["algorithm"]), row["size"] == representation.size,
            let layout = ChunkLayout(size: representation.size, chunkSize: row["chunk_size"], algorithm: algorithm)
        else { return nil }
        return StoredManifest(number: row["number"], layout: layout)
    }

    private static func manifestRow(of representation: Representation, _ db: Database) throws -> Row? {
        try Row.fetchOne(
            db, sql: "SELECT * FROM manifest WHERE image = ? AND disk_format = ? AND container_format = ?",
            arguments: [
                representation.image.description, representation.format.disk.rawValue, representation.format.container.rawValue,
            ])
    }
}
