import Foundation
import Testing

@testable import ImageCatalog

@Suite(.timeLimit(.minutes(5))) struct CatalogLockTests {
    private let directory: String

    init() throws {
        directory = NSTemporaryDirectory() + "baton-lock-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory + "/real", withIntermediateDirectories: true)
    }

    private func link(_ name: String, to target: String) throws -> String {
        try FileManager.default.createSymbolicLink(atPath: "\(directory)/\(name)", withDestinationPath: target)
        return "\(directory)/\(name)"
    }

    @Test("One process at a time holds a catalog, whichever link names it", arguments: [true, false])
    func oneHolder(exists: Bool) async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let catalog = directory + "/real/catalog.sqlite"
        if exists { try Data("x".utf8).write(to: URL(filePath: catalog)) }
        let names = [
            catalog, directory + "/real/../real//catalog.sqlite", try link("folder", to: "real") + "/catalog.sqlite",
            try link("file", to: "real/catalog.sqlite"), try link("absolute", to: catalog), try link("twice", to: "file"),
        ]
        let lock = try await CatalogLock.take(names[0])
        for name in names {
            await #expect(throws: CatalogLockError.self, "\(name)") { try await CatalogLock.take(name, waiting: .zero) }
        }
        do {
            _ = try await CatalogLock.take(catalog, waiting: .zero)
        } catch {
            #expect("\(error)".contains("in use by process \(getpid())"))
        }
        lock.release()
        for name in names { try await CatalogLock.take(name, waiting: .zero).release() }
        #expect(FileManager.default.fileExists(atPath: catalog) == exists, "the lock makes no catalog")
    }

    @Test("A lock that is being released is waited for")
    func aLockIsWaitedFor() async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let catalog = directory + "/real/catalog.sqlite"
        let lock = try await CatalogLock.take(catalog)
        async let next = CatalogLock.take(catalog, waiting: .seconds(60))
        await Task.yield()
        lock.release()
        try await next.release()
    }

    @Test("A catalog with a second hard link is refused")
    func hardLinksAreRefused() async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let catalog = directory + "/real/catalog.sqlite"
        try Data("x".utf8).write(to: URL(filePath: catalog))
        try FileManager.default.linkItem(atPath: catalog, toPath: directory + "/other")
        do {
            _ = try await CatalogLock.take(catalog)
            Issue.record("the catalog was locked")
        } catch {
            #expect("\(error)".contains("hard links"))
        }
    }
}
