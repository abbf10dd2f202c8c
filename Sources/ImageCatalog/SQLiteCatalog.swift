import GRDB
package import ImageModel

/// The catalog in one SQLite file.
package struct SQLiteCatalog: CatalogStore {
    let pool: DatabasePool
    private let path: String

    /// Opens the file, makes it (and its directory) if it is not there, and brings its tables up to date.
    /// - Parameter mode: the permissions of its files, at most.
    /// - Throws: `CatalogError`.
    package init(path: String, mode: FileMode = .standard) throws {
        try self.init(path: path, mode: mode, configuration: Configuration())
    }

    /// - Parameter configuration: further settings of the connections, for tests.
    init(path: String, mode: FileMode = .standard, configuration base: Configuration) throws {
        self.path = path
        var configuration = base
        configuration.busyMode = .timeout(5)
        configuration.foreignKeysEnabled = true
        // In WAL mode NORMAL loses no transaction when the process dies, and none but the last when the machine does: what the
        // catalog learns can be computed again, what operators do must not be lost, so FULL.
        configuration.prepareDatabase { db in try db.execute(sql: "PRAGMA synchronous = FULL") }
        do {
            try CatalogFiles.prepare(path, mode)
            pool = try DatabasePool(path: path, configuration: configuration)
            if try pool.read(Schema.migrator.hasBeenSuperseded) { throw CatalogError.newerSchema(path: path) }
            try Schema.migrator.migrate(pool)
        } catch {
            throw Self.translate(error, path: path)
        }
    }

    func read<Value: Sendable>(_ body: @Sendable @escaping (Database) throws -> Value) async throws -> Value {
        do { return try await pool.read(body) } catch { throw Self.translate(error, path: path) }
    }

    func write<Value: Sendable>(_ body: @Sendable @escaping (Database) throws -> Value) async throws -> Value {
        do { return try await pool.write(body) } catch { throw Self.translate(error, path: path) }
    }

    static func translate(_ error: any Error, path: String) -> any Error {
        switch error {
        case let error as CatalogError: error
        case let error as IllegalLocationEvent: CatalogError.illegalEvent(error)
        case is CancellationError: error
        case let error as DatabaseError:
            switch error.resultCode {
            case .SQLITE_FULL: CatalogError.diskFull(path: path)
            case .SQLITE_BUSY, .SQLITE_LOCKED: CatalogError.busy(path: path)
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: CatalogError.damaged(path: path, message: error.message ?? "\(error)")
            default: CatalogError.unusable(path: path, message: error.message ?? "\(error)")
            }
        case let error as UnreadableRow: CatalogError.damaged(path: path, message: "\(error)")
        default: CatalogError.unusable(path: path, message: "\(error)")
        }
    }
}
