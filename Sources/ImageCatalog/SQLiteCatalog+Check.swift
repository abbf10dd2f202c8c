import GRDB

extension SQLiteCatalog {
    /// Whether a file that is there can be this version's catalog. Nothing in it is changed.
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
