import Foundation
import GRDB
import ImageModel
import Testing

@testable import ImageCatalog

@Suite struct CatalogFileTests {
    @Test("A file that is not a catalog is refused and left unchanged")
    func aFileThatIsNoCatalogIsRefusedAndLeftUnchanged() throws {
        let directory = NSTemporaryDirectory() + "baton-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let path = directory + "/notes.txt"
        let text = String(repeating: "this is no database\n", count: 100)
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        let error = #expect(throws: CatalogError.self) { try SQLiteCatalog(path: path) }
        #expect("\(error!)".contains(path))
        #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
        #expect(throws: CatalogError.self) { try SQLiteCatalog(path: path + "/below/a/file") }
    }

    @Test("A catalog of a later version is refused")
    func aCatalogOfALaterVersionIsRefused() async throws {
        let fixture = try Fixture()
        try await fixture.catalog.write { db in
            try db.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('99: from the future')")
        }
        #expect(throws: CatalogError.newerSchema(path: fixture.path)) { try SQLiteCatalog(path: fixture.path) }
    }

    @Test("A catalog from before manifests is migrated")
    func aCatalogFromBeforeManifestsIsMigrated() async throws {
        let directory = NSTemporaryDirectory() + "baton-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let path = directory + "/catalog.sqlite"
        let (image, location) = (ImageID(), LocationID())
        let digest = try Fixture.digest("a")
        do {
            let pool = try DatabasePool(path: path)
            try Schema.migrator.migrate(pool, upTo: "4: ids of deleted images")
            try await pool.write { db in
                try db.execute(
                    sql: """
                        INSERT INTO image (id, status, visibility, disk_format, container_format, min_disk, min_ram, protected,
                            hidden, tags, properties, created_at, updated_at)
                        VALUES (:image, 'active', 'shared', 'raw', 'bare', 0, 0, 0, 0, '[]', '{}', 0, 0);
                        INSERT INTO representation (image, disk_format, container_format, size, algorithm, digest)
                        VALUES (:image, 'raw', 'bare', 10, 'sha256', :digest);
                        INSERT INTO location (id, image, disk_format, container_format, backend, path, url, status, before, size,
                            sha256, identified, weight, tier, metadata, created_at)
                        VALUES (:location, :image, 'raw', 'bare', 'north', 'a', 'http://north/a', 'active', '[]', 10, :digest,
                            1, 0, 0, '{}', 0);
                        INSERT INTO read_progress (location, position, size, validator, digests, saved_at)
                        VALUES (:location, 7, 10, 'v', x'010203', 0);
                        """,
                    arguments: ["image": image.description, "location": location.description, "digest": digest.hex])
            }
            try pool.close()
        }
        let catalog = try SQLiteCatalog(path: path)
        let resolution = try #require(try await catalog.resolve(image, format: RequestedFormat()))
        #expect(resolution.manifest == nil && resolution.locations.map(\.id) == [location])
        let progress = ReadProgress(position: 7, size: 10, validator: Validator("v"), digests: [1, 2, 3])
        #expect(try await catalog.readProgress(of: location) == progress)
        let representation = try #require(resolution.representation)
        let layout = try #require(ChunkLayout(size: 10))
        let page = ManifestPage(number: 0, digests: [UInt8](repeating: 1, count: 32), seal: [2])
        #expect(try await catalog.addManifest(layout, pages: [page], of: representation, at: Fixture.start))
        #expect(try await catalog.resolve(image, format: RequestedFormat())?.manifest?.layout == layout)
    }

    @Test("A catalog of version 0.1.0 keeps its suspects, holds, verification dates and history")
    func aCatalogOfTheFirstVersionIsMigrated() async throws {
        let directory = NSTemporaryDirectory() + "baton-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let path = directory + "/catalog.sqlite"
        let (image, location) = (ImageID(), LocationID())
        let digest = try Fixture.digest("a")
        do {
            let pool = try DatabasePool(path: path)
            try Schema.migrator.migrate(pool, upTo: "6: uploads")
            try await pool.write { db in
                try db.execute(
                    sql: """
                        INSERT INTO image (id, status, visibility, disk_format, container_format, min_disk, min_ram, protected,
                            hidden, tags, properties, created_at, updated_at)
                        VALUES (:image, 'active', 'shared', 'raw', 'bare', 0, 0, 0, 0, '[]', '{}', 0, 0);
                        INSERT INTO representation (image, disk_format, container_format, size, algorithm, digest, in_doubt,
                            doubted_at, distrusted)
                        VALUES (:image, 'raw', 'bare', 10, 'sha256', :digest, 1, 7000, 1);
                        INSERT INTO location (id, image, disk_format, container_format, backend, path, url, status, before, size,
                            sha256, learned, identified, weight, tier, metadata, accused, proven_at, created_at)
                        VALUES (:location, :image, 'raw', 'bare', 'north', 'a', 'http://north/a', 'active', '[]', 10, :digest,
                            '["sha256"]', 1, 0, 0, '{}', 1, 5000, 0);
                        INSERT INTO history (location, time, event, status_from, status_to, actor, reason) VALUES
                            (:location, 0, 'registered', 'pending', 'pending', 'a', ''),
                            (:location, 1, 'accused', 'active', 'active', 'a', ''),
                            (:location, 2, 'proven', 'active', 'active', 'a', ''),
                            (:location, 3, 'distrusted', 'active', 'active', 'a', ''),
                            (:location, 4, 'probe-failed', 'pending', 'pending', 'a', '');
                        """,
                    arguments: ["image": image.description, "location": location.description, "digest": digest.hex])
            }
            try pool.close()
        }
        let catalog = try SQLiteCatalog(path: path)
        let resolution = try #require(try await catalog.resolve(image, format: RequestedFormat()))
        let representation = try #require(resolution.representation)
        #expect(representation.isOnIntegrityHold && representation.hasDigestConflict)
        #expect(representation.lastMismatchAt == Date(timeIntervalSince1970: 7))
        let kept = try #require(resolution.locations.first)
        #expect(kept.id == location && kept.isSuspect && kept.computed == [.sha256])
        #expect(kept.verifiedAt == Date(timeIntervalSince1970: 5))
        #expect(try await catalog.suspects().map(\.id) == [location])
        let events = try await catalog.history(of: location).map(\.event)
        #expect(events == [.registered, .markedSuspect, .verified, .digestConflict, .probeFailed])
    }

    @Test("Two writers lose no location")
    func twoWritersLoseNoLocation() async throws {
        let fixture = try Fixture()
        let other = try SQLiteCatalog(path: fixture.path)
        let image = try await fixture.image()
        let writers = [fixture.catalog, other]
        // So few that all of them take less time than a writer waits for the other, even on a slow disk.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<60 {
                group.addTask {
                    let new = NewLocation(
                        image: image.id, backend: BackendID("north"), path: "\(index)", url: "http://north/\(index)",
                        format: Fixture.format, size: 1, digests: DigestSet([try Fixture.digest("a")]))
                    _ = try await writers[index % 2].addLocation(
                        new, id: LocationID(), at: Fixture.start, actor: "test", reason: "registered")
                }
            }
            try await group.waitForAll()
        }
        let paths = try await other.locations(of: image.id).map(\.path)
        #expect(Set(paths) == Set((0..<60).map(String.init)))
    }

    @Test("A full disk is an error and damages nothing")
    func aFullDiskIsAnErrorAndDamagesNothing() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        func limit(_ pages: Int) async throws {
            try await fixture.catalog.write { db in _ = try Int.fetchOne(db, sql: "PRAGMA max_page_count = \(pages)") }
        }
        let used = try await fixture.catalog.read { db in try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0 }
        try await limit(used + 4)
        var stored: [LocationID] = []
        await #expect(throws: CatalogError.diskFull(path: fixture.path)) {
            for index in 0..<1000 { stored.append(try await fixture.location(of: image, path: "\(index)").id) }
        }
        #expect(!stored.isEmpty)
        #expect(try await fixture.catalog.locations(of: image.id).map(\.id) == stored)
        try await limit(1_000_000)
        try await fixture.location(of: image, path: "later")
        #expect(try await fixture.catalog.locations(of: image.id).count == stored.count + 1)
        let decision = try await fixture.catalog.read { db in try String.fetchOne(db, sql: "PRAGMA integrity_check") }
        #expect(decision == "ok")
    }

    /// Any events in any order: the image is active as soon as one of its locations ever served, and the history replayed gives
    /// the status stored.
    @Test("Random events keep a location's history and its image consistent", arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func randomEventsKeepTheInvariants(seed: UInt64) async throws {
        var state = seed
        func random(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(count))
        }
        let fixture = try Fixture()
        let image = try await fixture.image()
        var locations: [Location] = []
        for index in 0..<3 { locations.append(try await fixture.location(of: image, path: "\(index)")) }
        for _ in 0..<120 {
            let event = LocationEvent.allCases[random(LocationEvent.allCases.count)]
            do {
                try await fixture.apply(event, to: locations[random(3)])
            } catch is CatalogError {}
        }
        var hasServed = false
        for location in locations {
            let stored = try #require(try await fixture.catalog.location(location.id))
            var replayed = LocationState()
            for entry in try await fixture.catalog.history(of: location.id) {
                hasServed = hasServed || entry.to.serves
                guard let event = LocationEvent(rawValue: entry.event.rawValue) else { continue }
                #expect(replayed.status == entry.from)
                try replayed.apply(event)
                #expect(replayed.status == entry.to)
            }
            #expect(replayed == stored.state, "seed \(seed)")
        }
        #expect(try await fixture.catalog.image(image.id)?.status == (hasServed ? .active : .queued), "seed \(seed)")
    }
}
