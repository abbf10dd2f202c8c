import Foundation
import GRDB
import ImageModel
import Testing

@testable import ImageCatalog

@Suite struct ManifestTests {
    private let start = Fixture.start

    /// An image with one location of that size, and its representation.
    private func founded(_ fixture: Fixture, size: Int64 = 10) async throws -> (image: Image, representation: Representation) {
        let image = try await fixture.image()
        try await fixture.location(of: image, size: size, active: true)
        return (image, try await representation(of: image, fixture))
    }

    private func representation(of image: Image, _ fixture: Fixture) async throws -> Representation {
        try #require(try await fixture.resolve(image)?.representation)
    }

    private func layout(_ size: Int64 = 10, chunkSize: Int64 = 4) throws -> ChunkLayout {
        try #require(ChunkLayout(size: size, chunkSize: chunkSize))
    }

    /// Pages with made-up digests, another for each page.
    private func pages(_ layout: ChunkLayout, _ first: UInt8 = 1) -> [ManifestPage] {
        (0..<layout.pageCount).map { page in
            let byte = first &+ UInt8(truncatingIfNeeded: page)
            let count = layout.chunks(of: page).count * layout.algorithm.byteCount
            return ManifestPage(number: page, digests: [UInt8](repeating: byte, count: count), seal: [byte])
        }
    }

    private func add(
        _ layout: ChunkLayout, to representation: Representation, _ fixture: Fixture, first: UInt8 = 1
    ) async throws -> Bool {
        try await fixture.catalog.addManifest(layout, pages: pages(layout, first), of: representation, at: start)
    }

    @Test("A manifest is found with its representation and read page by page")
    func aManifestIsFoundAndReadPageByPage() async throws {
        let fixture = try Fixture()
        let size: Int64 = 2500 * 4 + 1
        let (image, representation) = try await founded(fixture, size: size)
        let layout = try layout(size)
        #expect(layout.pageCount == 3)
        #expect(try await fixture.resolve(image)?.manifest == nil)
        #expect(try await add(layout, to: representation, fixture))
        let reopened = try SQLiteCatalog(path: fixture.path)
        let manifest = try #require(try await reopened.resolve(image.id, format: RequestedFormat())?.manifest)
        #expect(manifest.layout == layout)
        for page in pages(layout) { #expect(try await reopened.manifestPage(page.number, of: manifest) == page) }
        #expect(try await reopened.manifestPage(3, of: manifest) == nil)
        #expect(try await reopened.manifestPage(-1, of: manifest) == nil)
    }

    @Test("A manifest of other content is not stored")
    func aManifestOfOtherContentIsNotStored() async throws {
        let fixture = try Fixture()
        let (image, representation) = try await founded(fixture)
        let other = Representation(
            image: image.id, format: representation.format, size: 10, identity: try Fixture.digest("b"))
        #expect(try await !add(layout(), to: other, fixture), "another identity")
        #expect(try await !add(layout(11), to: representation, fixture), "another size")
        let unknown = Representation(
            image: image.id, format: Format(disk: .qcow2, container: .bare), size: 10, identity: representation.identity)
        #expect(try await !add(layout(), to: unknown, fixture), "no such representation")
        #expect(try await fixture.manifest(of: representation) == nil)
        let count = try await fixture.catalog.read { db in try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM manifest_page") }
        #expect(count == 0)
    }

    @Test("A representation keeps its first manifest")
    func theFirstManifestStays() async throws {
        let fixture = try Fixture()
        let (_, representation) = try await founded(fixture)
        #expect(try await add(layout(), to: representation, fixture))
        #expect(try await !add(layout(chunkSize: 8), to: representation, fixture, first: 9))
        let manifest = try #require(try await fixture.manifest(of: representation))
        #expect(try manifest.layout == layout())
        #expect(try await fixture.catalog.manifestPage(0, of: manifest)?.seal == [1])
    }

    @Test("A representation with a digest conflict gets no manifest")
    func aRepresentationWithADigestConflictGetsNoManifest() async throws {
        let fixture = try Fixture()
        let (image, representation) = try await founded(fixture)
        let location = try #require(try await fixture.catalog.locations(of: image.id).first)
        try await fixture.catalog.recordDigestConflict(of: location.id, reason: "two agree", at: start)
        #expect(try await !add(layout(), to: representation, fixture))
    }

    @Test("A failed whole verification sets no integrity hold where a manifest verifies every chunk")
    func noHoldBesideAManifest() async throws {
        let fixture = try Fixture()
        let (image, representation) = try await founded(fixture)
        let location = try #require(try await fixture.catalog.locations(of: image.id).first)
        func fail() async throws -> Bool? {
            try await fixture.catalog.recordDigestMismatch(
                of: image.id, format: Fixture.format, contributors: [location.id], at: start, actor: "", reason: "")
            return try await fixture.resolve(image)?.representation?.isOnIntegrityHold
        }
        #expect(try await fail() == true)
        try await fixture.catalog.recordVerification(of: location.id, validator: nil, at: start)
        #expect(try await add(layout(), to: representation, fixture))
        #expect(try await fail() == false)
    }

    @Test("A manifest is deleted with its image")
    func aManifestIsDeletedWithItsImage() async throws {
        let fixture = try Fixture()
        let (image, representation) = try await founded(fixture)
        #expect(try await add(layout(), to: representation, fixture))
        let manifest = try #require(try await fixture.manifest(of: representation))
        try await fixture.catalog.deleteImage(image.id)
        #expect(try await fixture.manifest(of: representation) == nil)
        #expect(try await fixture.catalog.manifestPage(0, of: manifest) == nil)
    }

    @Test("A manifest is deleted with its representation")
    func aManifestIsDeletedWithItsRepresentation() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        let location = try await fixture.location(of: image)
        let before = try await representation(of: image, fixture)
        #expect(try await add(layout(), to: before, fixture))
        let manifest = try #require(try await fixture.manifest(of: before))
        try await fixture.catalog.forget([location.id])
        try await fixture.location(of: image, digests: [Fixture.digest("b")])
        let after = try await representation(of: image, fixture)
        #expect(after.identity != before.identity)
        #expect(try await fixture.manifest(of: after) == nil)
        #expect(try await fixture.catalog.manifestPage(0, of: manifest) == nil)
        #expect(try await add(layout(), to: after, fixture))
        #expect(try #require(try await fixture.manifest(of: after)).number != manifest.number)
    }

    @Test("A deleted manifest makes room for another one")
    func aDeletedManifestMakesRoomForAnother() async throws {
        let fixture = try Fixture()
        let (_, representation) = try await founded(fixture)
        #expect(try await add(layout(), to: representation, fixture))
        let first = try #require(try await fixture.manifest(of: representation))
        #expect(try await fixture.catalog.forgetManifest(first))
        #expect(try await !fixture.catalog.forgetManifest(first))
        #expect(try await fixture.manifest(of: representation) == nil)
        #expect(try await add(layout(chunkSize: 8), to: representation, fixture, first: 9))
        let second = try #require(try await fixture.manifest(of: representation))
        #expect(second.number != first.number, "a reader that still holds the first would read the second's pages")
        #expect(try await fixture.catalog.manifestPage(0, of: first) == nil)
        #expect(try await !fixture.catalog.forgetManifest(first))
        #expect(try await fixture.catalog.manifestPage(0, of: second)?.seal == [9])
    }

    @Test("A manifest that this version cannot read counts as none and can be replaced")
    func anUnreadableManifestCanBeReplaced() async throws {
        let fixture = try Fixture()
        let (image, representation) = try await founded(fixture)
        #expect(try await add(layout(), to: representation, fixture))
        try await fixture.catalog.write { db in try db.execute(sql: "UPDATE manifest SET algorithm = 'blake9'") }
        #expect(try await fixture.manifest(of: representation) == nil)
        #expect(try await fixture.resolve(image)?.manifest == nil)
        #expect(try await add(layout(), to: representation, fixture, first: 9))
        let manifest = try #require(try await fixture.manifest(of: representation))
        #expect(try await fixture.catalog.manifestPage(0, of: manifest)?.seal == [9])
    }

    @Test("Representations are counted by whether they have a manifest")
    func representationsAreCountedByTheirManifest() async throws {
        let fixture = try Fixture()
        let (_, representation) = try await founded(fixture)
        _ = try await founded(fixture)
        _ = try await founded(fixture, size: 0)
        #expect(try await add(layout(), to: representation, fixture))
        let statistics = try await fixture.catalog.statistics(verifiedBefore: start)
        #expect(statistics.representations == 2 && statistics.manifests == 1, "an empty representation needs no manifest")
    }

    /// Storage is compact: 32 bytes for each MiB, and little beside.
    @Test("The manifest of one tebibyte takes less than 64 MiB on disk")
    func theManifestOfATebibyteTakesLessThan64MiBOnDisk() async throws {
        let fixture = try Fixture()
        let (_, representation) = try await founded(fixture, size: 1 << 40)
        let layout = try layout(1 << 40, chunkSize: ChunkLayout.defaultChunkSize)
        #expect(layout.count == 1 << 20)
        #expect(try await add(layout, to: representation, fixture))
        try await fixture.catalog.pool.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
        let size = try #require(try FileManager.default.attributesOfItem(atPath: fixture.path)[.size] as? Int)
        #expect((32 << 20..<64 << 20).contains(size), "\(size) bytes")
        let manifest = try #require(try await fixture.manifest(of: representation))
        #expect(try await fixture.catalog.manifestPage(1023, of: manifest) == pages(layout).last)
    }

    /// Which locations would be read for manifests, by their paths.
    private func wanted(
        _ fixture: Fixture, in backends: [String] = ["north"], of images: [ImageID]? = nil, limit: Int = 100,
        at time: Date? = nil
    ) async throws -> [String] {
        var paths: [String] = []
        var cursor: ManifestCandidates.Cursor?
        repeat {
            let page = try await fixture.catalog.locationsForManifests(
                in: backends.map { BackendID($0) }, of: images, after: cursor, limit: limit, at: time ?? start)
            #expect(page.locations.count <= limit)
            paths += page.locations.map(\.path)
            cursor = page.next
        } while cursor != nil
        return paths
    }

    @Test("Images without a manifest are listed with their first active location, newest first", arguments: [1, 2, 100])
    func imagesWithoutAManifest(limit: Int) async throws {
        let fixture = try Fixture()
        var images: [Image] = []
        for name in ["a", "b", "c"] {
            let image = try await fixture.image()
            images.append(image)
            try await fixture.location(of: image, path: "\(name)1", active: true)
            try await fixture.location(of: image, path: "\(name)2", active: true)
        }
        #expect(try await wanted(fixture, limit: limit) == ["c1", "b1", "a1"])
        #expect(try await wanted(fixture, of: [images[0].id, images[1].id], limit: limit) == ["b1", "a1"])
        #expect(try await wanted(fixture, in: ["south"], limit: limit) == [])
        #expect(try await wanted(fixture, in: [], limit: limit) == [])
        #expect(try await wanted(fixture, of: [], limit: limit) == [])
        let first = try #require(try await fixture.catalog.locations(of: images[2].id).first)
        try await fixture.apply(.disable, to: first)
        #expect(try await wanted(fixture, limit: limit) == ["c2", "b1", "a1"])
        #expect(try await add(layout(), to: representation(of: images[1], fixture), fixture))
        #expect(try await wanted(fixture, limit: limit) == ["c2", "a1"])
    }

    @Test("No location is listed for a manifest that cannot or must not be made now")
    func noReadForAManifest() async throws {
        let fixture = try Fixture()
        let empty = try await fixture.image()
        try await fixture.location(of: empty, path: "empty", size: 0, active: true)
        let pending = try await fixture.image()
        try await fixture.location(of: pending, path: "pending")
        let held = try await fixture.image()
        let heldLocation = try await fixture.location(of: held, path: "held", active: true)
        try await fixture.location(of: held, path: "held too", active: true)
        let conflicting = try await fixture.image()
        let conflictingLocation = try await fixture.location(of: conflicting, path: "conflicting", active: true)
        let later = try await fixture.image()
        let laterLocation = try await fixture.location(of: later, path: "later", active: true)
        #expect(try await wanted(fixture) == ["later", "conflicting", "held"])
        try await fixture.catalog.recordDigestMismatch(
            of: held.id, format: Fixture.format, contributors: [heldLocation.id], at: start, actor: "test", reason: "played")
        try await fixture.catalog.recordDigestConflict(of: conflictingLocation.id, reason: "two agree", at: start)
        try await fixture.catalog.recordFailedRead(of: laterLocation.id, nextReadAt: start + 30)
        #expect(try await wanted(fixture) == [])
        #expect(try await wanted(fixture, at: start + 30) == ["later"])
    }
}
