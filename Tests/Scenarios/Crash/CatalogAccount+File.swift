import Foundation
import GRDB

extension CatalogAccount {
    /// Reads a consistent snapshot of a catalog's file.
    /// - Returns: the account, and the findings of SQLite's own checks of the file and its references.
    static func read(_ path: String, readsOnly: Bool) throws -> (account: CatalogAccount, damage: [String]) {
        var configuration = Configuration()
        configuration.readonly = readsOnly
        configuration.busyMode = .timeout(30)
        return try DatabaseQueue(path: path, configuration: configuration).read { db in
            let integrity = try String.fetchAll(db, sql: "PRAGMA integrity_check").filter { $0 != "ok" }
            let references = try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").map { "a dangling reference: \($0)" }
            return (try CatalogAccount(db), integrity + references)
        }
    }

    private init(_ db: Database) throws {
        images = try String.fetchSet(db, sql: "SELECT id FROM image")
        contents = try Row.fetchAll(db, sql: "SELECT * FROM representation ORDER BY image").map { row in
            Content(
                image: row["image"], size: row["size"], identity: "\(row["algorithm"] as String):\(row["digest"] as String)",
                isOnIntegrityHold: row["integrity_hold"], hasDigestConflict: row["digest_conflict"])
        }
        manifests = try Row.fetchAll(db, sql: "SELECT * FROM manifest ORDER BY number").map { row in
            let pages = try Row.fetchAll(
                db, sql: "SELECT * FROM manifest_page WHERE manifest = ? ORDER BY page", arguments: [row["number"] as Int64]
            ).map { page in
                Manifest.Page(
                    number: page["page"], digests: Array(page["digests"] as Data), seal: Array(page["seal"] as Data))
            }
            return Manifest(
                image: row["image"], identity: row["identity"], size: row["size"], chunkSize: row["chunk_size"],
                algorithm: row["algorithm"], pages: pages)
        }
        let lines = try Row.fetchAll(db, sql: "SELECT * FROM history ORDER BY number").map { row in
            (row["location"] as String, Line(row))
        }
        let histories = Dictionary(grouping: lines, by: \.0).mapValues { $0.map(\.1) }
        let readPages = try Row.fetchAll(db, sql: "SELECT * FROM read_progress_page ORDER BY location, page").map { row in
            (row["location"] as String, ReadChunks.Page(number: row["page"], digests: Array(row["digests"] as Data)))
        }
        let pagesOfReads = Dictionary(grouping: readPages, by: \.0).mapValues { $0.map(\.1) }
        entries = try Row.fetchAll(
            db,
            sql: """
                SELECT location.*, read_progress.position, read_progress.chunk_size, read_progress.chunk_algorithm
                    FROM location
                    LEFT JOIN read_progress ON read_progress.location = location.id ORDER BY location.number
                """
        ).map { row in
            let digests = ["sha256", "sha512", "sha1", "md5"].compactMap { name in (row[name] as String?).map { (name, $0) } }
            let chunks = (row["chunk_size"] as Int64?).map { size in
                ReadChunks(chunkSize: size, algorithm: row["chunk_algorithm"], pages: pagesOfReads[row["id"]] ?? [])
            }
            return Entry(
                id: row["id"], image: row["image"], url: row["url"], status: row["status"],
                before: try Self.decoded(row["before"]), weight: row["weight"], metadata: try Self.decoded(row["metadata"]),
                size: row["size"], digests: Dictionary(uniqueKeysWithValues: digests), progress: row["position"],
                chunks: chunks,
                history: histories[row["id"]] ?? [])
        }
    }

    private static func decoded<Value: Decodable>(_ text: String) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(text.utf8))
    }
}

extension CatalogAccount.Line {
    fileprivate init(_ row: Row) {
        self.init(
            event: row["event"], from: row["status_from"], to: row["status_to"], actor: row["actor"], reason: row["reason"])
    }
}
