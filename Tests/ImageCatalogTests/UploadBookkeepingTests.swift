import Foundation
import GRDB
import ImageModel
import Testing

@testable import ImageCatalog

/// Which files uploads wrote, until they are deleted, and how much a project may have.
@Suite struct UploadBookkeepingTests {
    private static let backend = BackendID("disk")
    private static let start = Fixture.start

    private func path(_ image: Image) -> UploadPath { UploadPath(backend: Self.backend, path: image.id.description) }

    private func begin(
        _ image: Image, _ fixture: Fixture, announced: Int64? = nil, quota: ProjectQuota = ProjectQuota()
    ) async throws {
        let upload = path(image)
        _ = try await fixture.catalog.update(image.id, for: nil, at: Self.start, actor: "test") { edit in
            edit.image.status = .saving
            edit.upload = .begin(upload, announced: announced, quota)
        }
    }

    private func finish(
        _ image: Image, _ fixture: Fixture, size: Int64 = 10, quota: ProjectQuota = ProjectQuota()
    ) async throws {
        let upload = path(image)
        let location = NewLocation(
            image: image.id, backend: upload.backend, path: upload.path, url: "file:///\(upload.path)", format: Fixture.format,
            size: size, digests: DigestSet([try Fixture.digest("a")]))
        _ = try await fixture.catalog.update(image.id, for: nil, at: Self.start, actor: "test") { edit in
            edit.image.status = .active
            edit.upload = .finish(upload, size: size, quota)
            edit.entries.append(.new(ImageEdit.NewEntry(location, validator: Validator("v"), isActive: true)))
        }
    }

    private func uploaded(_ fixture: Fixture, owner: String? = "p", size: Int64 = 10) async throws -> Image {
        let image = try await fixture.image {
            $0.owner = owner
            $0.diskFormat = .raw
            $0.containerFormat = .bare
        }
        try await begin(image, fixture)
        try await finish(image, fixture, size: size)
        return image
    }

    private func records(_ fixture: Fixture, onlyOrphans: Bool = false) async throws -> [UploadRecord] {
        try await fixture.catalog.uploads(in: Self.backend, UploadQuery(limit: 100, onlyOrphans: onlyOrphans))
    }

    private func expired(_ fixture: Fixture, after: TimeInterval) async throws -> [UploadPath] {
        try await fixture.catalog.expireUploads(in: Self.backend, at: Self.start + after, delay: .seconds(100))
    }

    @Test("The file of a deleted image is due after the delay and not before")
    func deletedImage() async throws {
        let fixture = try Fixture()
        let image = try await uploaded(fixture)
        #expect(try await expired(fixture, after: 1000).isEmpty)
        #expect(try await records(fixture).map(\.isOrphan) == [false])
        try await fixture.catalog.deleteImage(image.id)
        #expect(try await records(fixture, onlyOrphans: true).map(\.image) == [image.id])
        #expect(try await expired(fixture, after: 2000).isEmpty)
        #expect(try await records(fixture).first?.expiresAt == Self.start + 2100)
        #expect(try await expired(fixture, after: 2099).isEmpty)
        #expect(try await expired(fixture, after: 2100) == [path(image)])
        // A server that stopped before it deleted the file finds it again.
        #expect(try await expired(fixture, after: 2101) == [path(image)])
        try await fixture.catalog.forgetUpload(path(image))
        #expect(try await records(fixture).isEmpty)
        #expect(try await expired(fixture, after: 3000).isEmpty)
        #expect(try await fixture.catalog.hasUsed(image.id), "its id stays used up")
    }

    @Test("The file of a deleted location is due when the location's own delay ends")
    func deletedLocation() async throws {
        let fixture = try Fixture()
        let image = try await uploaded(fixture)
        let location = try #require(try await fixture.catalog.locations(of: image.id).first)
        func apply(_ event: LocationEvent) async throws {
            _ = try await fixture.catalog.apply(
                LocationChange(
                    event, of: location.id, actor: "test", reason: "because", at: Self.start, isForced: true,
                    expiresAt: Self.start + 50))
        }
        try await apply(.delete)
        #expect(try await expired(fixture, after: 1000).isEmpty, "it can be restored")
        try await apply(.restore)
        #expect(try await expired(fixture, after: 1000).isEmpty)
        try await apply(.delete)
        try await apply(.expire)
        #expect(try await expired(fixture, after: 1001) == [path(image)])
    }

    @Test("A file that another location refers to stays")
    func secondLocation() async throws {
        let fixture = try Fixture()
        let image = try await uploaded(fixture)
        let location = try #require(try await fixture.catalog.locations(of: image.id).first)
        let duplicate = NewLocation(
            image: image.id, backend: Self.backend, path: path(image).path, url: "file:///x#2", format: Fixture.format,
            size: 10,
            digests: DigestSet([try Fixture.digest("a")]))
        _ = try await fixture.catalog.addLocation(duplicate, id: LocationID(), at: Self.start, actor: "test", reason: "test")
        for event in [LocationEvent.delete, .expire] {
            _ = try await fixture.catalog.apply(
                LocationChange(event, of: location.id, actor: "test", reason: "test", at: Self.start, isForced: true))
        }
        #expect(try await expired(fixture, after: 1000).isEmpty)
    }

    @Test("A deleted image's file stays when another image takes it over, and its delay starts again later")
    func takenOver() async throws {
        let fixture = try Fixture()
        let image = try await uploaded(fixture)
        try await fixture.catalog.deleteImage(image.id)
        #expect(try await expired(fixture, after: 0).isEmpty)
        #expect(try await records(fixture).map(\.expiresAt) == [Self.start + 100])
        let other = try await fixture.image()
        let location = try await fixture.catalog.addLocation(
            NewLocation(
                image: other.id, backend: Self.backend, path: path(image).path, url: "file:///x", format: Fixture.format,
                size: 10, digests: DigestSet([try Fixture.digest("a")])), id: LocationID(), at: Self.start, actor: "test",
            reason: "test")
        #expect(try await expired(fixture, after: 50).isEmpty)
        #expect(try await records(fixture).map(\.expiresAt) == [nil])
        for event in [LocationEvent.delete, .expire] { _ = try await fixture.apply(event, to: location) }
        #expect(try await expired(fixture, after: 1000).isEmpty)
        #expect(try await records(fixture).map(\.expiresAt) == [Self.start + 1100])
    }

    @Test("A failed or interrupted upload leaves no record")
    func failures() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        try await begin(image, fixture, announced: 7)
        #expect(try await records(fixture).map(\.state) == [.receiving])
        #expect(try await expired(fixture, after: 1000).isEmpty, "its bytes are coming in")
        let upload = path(image)
        _ = try await fixture.catalog.update(image.id, for: nil, at: Self.start, actor: "test") { edit in
            edit.image.status = .queued
            edit.upload = .abandon(upload)
        }
        #expect(try await records(fixture).isEmpty)
        // Deleted during its upload: the upload's failure is never recorded.
        try await begin(image, fixture)
        try await fixture.catalog.deleteImage(image.id)
        #expect(try await expired(fixture, after: 0) == [upload])
        let again = try await fixture.image()
        try await begin(again, fixture)
        try await fixture.catalog.recoverImagesAfterStart(
            at: Self.start, cutOff: try await fixture.catalog.imagesBeingSaved())
        #expect(try await expired(fixture, after: 0).contains(self.path(again)))
        await #expect(throws: CatalogError.uploadRemoved(again.id)) { try await begin(again, fixture) }
    }

    @Test("Each project has a quota of images of its own, and images without a project share one")
    func quotaOfImages() async throws {
        let fixture = try Fixture()
        let quota = ProjectQuota(images: 5)
        let catalog = fixture.catalog
        for owner in ["p", "q", nil] {
            // All at once: the count and the new image are one transaction.
            let refused = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<20 {
                    let image = Image(id: ImageID(), owner: owner, createdAt: Self.start, updatedAt: Self.start)
                    group.addTask {
                        do {
                            try await catalog.createImage(image, quota: quota)
                            return false
                        } catch {
                            return error as? CatalogError == .overQuota(.images(limit: 5))
                        }
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(refused == 15)
        }
        #expect(try await fixture.catalog.records(ImageQuery()).count == 15)
    }

    @Test("Uploads stay within the quota of bytes together, with announced and unknown sizes")
    func quotaOfBytes() async throws {
        let fixture = try Fixture()
        let quota = ProjectQuota(bytes: 25)
        _ = try await uploaded(fixture, size: 10)
        let images = [try await fixture.image { $0.owner = "p" }, try await fixture.image { $0.owner = "p" }]
        try await begin(images[0], fixture, announced: 15, quota: quota)
        #expect(try await fixture.catalog.uploadedBytes(of: "p") == 25)
        await #expect(throws: CatalogError.overQuota(.bytes(limit: 25))) {
            try await begin(images[1], fixture, announced: 1, quota: quota)
        }
        #expect(try await fixture.catalog.image(images[1].id)?.status == .queued, "the refused upload changed the image")
        try await begin(images[1], fixture, quota: quota)
        await #expect(throws: CatalogError.overQuota(.bytes(limit: 25))) {
            try await finish(images[1], fixture, size: 1, quota: quota)
        }
        #expect(try await fixture.catalog.locations(of: images[1].id).isEmpty)
        #expect(try await fixture.catalog.uploadedBytes(of: "other") == 0)
        // Images without a project share one quota.
        #expect(try await fixture.catalog.uploadedBytes(of: nil) == 0)
        _ = try await uploaded(fixture, owner: nil, size: 20)
        #expect(try await fixture.catalog.uploadedBytes(of: nil) == 20)
        let ownerless = try await fixture.image { $0.owner = nil }
        await #expect(throws: CatalogError.overQuota(.bytes(limit: 25))) {
            try await begin(ownerless, fixture, announced: 6, quota: quota)
        }
    }

    @Test("Files of deleted images do not count, and are removed at once when their room is needed")
    func quotaAndOrphans() async throws {
        let fixture = try Fixture()
        let quota = ProjectQuota(bytes: 25)
        let first = try await uploaded(fixture, size: 20)
        let others = try await uploaded(fixture, owner: "q", size: 20)
        for image in [first, others] { try await fixture.catalog.deleteImage(image.id) }
        #expect(try await expired(fixture, after: 0).isEmpty)
        let small = try await fixture.image { $0.owner = "p" }
        try await begin(small, fixture, announced: 5, quota: quota)
        #expect(try await expired(fixture, after: 0).isEmpty, "there is room for both")
        let large = try await fixture.image { $0.owner = "p" }
        try await begin(large, fixture, announced: 20, quota: quota)
        #expect(try await expired(fixture, after: 0) == [path(first)])
    }

    @Test("The statistics count files and bytes, and a list continues after its marker")
    func statistics() async throws {
        let fixture = try Fixture()
        var images: [Image] = []
        for size in [1, 2, 4] { images.append(try await uploaded(fixture, size: Int64(size))) }
        try await fixture.catalog.deleteImage(images[0].id)
        let statistics = try await fixture.catalog.uploadStatistics()
        #expect(statistics.used == .init(files: 2, bytes: 6) && statistics.orphaned == .init(files: 1, bytes: 1))
        let paths = images.map { path($0).path }.sorted()
        let first = try await fixture.catalog.uploads(in: Self.backend, UploadQuery(limit: 2)).map(\.file.path)
        let second = try await fixture.catalog.uploads(in: Self.backend, UploadQuery(limit: 2, marker: first.last))
        #expect(first + second.map(\.file.path) == paths)
        #expect(try await fixture.catalog.unknownPaths(among: paths + ["x"], in: Self.backend) == ["x"])
        #expect(try await fixture.catalog.uploads(in: BackendID("other"), UploadQuery(limit: 2)).isEmpty)
    }

    @Test("Uploads of earlier versions are recognised by how their location was activated")
    func adoption() async throws {
        let path = NSTemporaryDirectory() + "baton-catalog-\(UUID().uuidString)/catalog.sqlite"
        let directory = URL(filePath: path).deletingLastPathComponent()
        defer { try? FileManager.default.removeItem(at: directory) }
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let uploaded = ImageID()
        let (copied, attached) = (ImageID(), ImageID())
        do {
            let pool = try DatabasePool(path: path)
            try Schema.migrator.migrate(pool, upTo: "5: manifests")
            try await pool.write { db in
                for (image, path, reason) in [
                    (uploaded, uploaded.description, "given through the Images API"),
                    (copied, copied.description, "registered"),
                    (attached, "other", "given through the Images API"),
                ] {
                    try db.execute(
                        sql: """
                            INSERT INTO image (id, status, visibility, disk_format, container_format, min_disk, min_ram, protected,
                                hidden, owner, tags, properties, created_at, updated_at)
                            VALUES (:image, 'active', 'shared', 'raw', 'bare', 0, 0, 0, 0, 'p', '[]', '{}', 0, 0);
                            INSERT INTO location (id, image, disk_format, container_format, backend, path, url, status, before, size,
                                identified, weight, tier, metadata, created_at)
                            VALUES (:image, :image, 'raw', 'bare', 'disk', :path, 'file:///x', 'active', '[]', 10, 1, 0, 0, '{}', 0);
                            INSERT INTO history (location, time, event, status_from, status_to, actor, reason)
                            VALUES (:image, 0, 'probed', 'pending', 'active', 'u', :reason);
                            """, arguments: ["image": image.description, "path": path, "reason": reason])
                }
            }
            try pool.close()
        }
        let catalog = try SQLiteCatalog(path: path)
        let records = try await catalog.uploads(in: Self.backend, UploadQuery(limit: 100))
        #expect(records.map(\.image) == [uploaded])
        #expect(records.first?.owner == "p" && records.first?.size == 10 && records.first?.state == .stored)
    }
}
