import GRDB

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
