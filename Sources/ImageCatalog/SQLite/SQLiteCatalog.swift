import GRDB
package import ImageModel

/// A catalog in one SQLite file.
package struct SQLiteCatalog: Catalog {
    let pool: DatabasePool
    private let path: String

    /// Opens the file, creates it (and its directory) if it does not exist, and migrates its tables.
    /// - Parameter mode: the upper bound of its files' permissions.
    /// - Throws: `CatalogError`.
    package init(path: String, mode: FileMode = .standard) throws {
        try self.init(path: path, mode: mode, configuration: Configuration())
    }

    /// - Parameter configuration: additional settings of the connections, for tests.
    init(path: String, mode: FileMode = .standard, configuration base: Configuration) throws {
        self.path = path
        var configuration = base
        configuration.busyMode = .timeout(5)
        configuration.foreignKeysEnabled = true
        // In WAL mode, NORMAL loses no transaction if the process dies, but may lose the last ones if the machine does.
        // Computed data can be computed again, but operators' changes must not be lost: hence FULL.
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

extension SQLiteCatalog {
    /// Checks whether an existing file can be used as a catalog by this version. Changes nothing in it.
    /// - Throws: `CatalogError`.
    package static func check(path: String) throws {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(1)
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            if try queue.read(Schema.migrator.hasBeenSuperseded) { throw CatalogError.newerSchema(path: path) }
            try queue.close()
        } catch {
            throw translate(error, path: path)
        }
    }
}
