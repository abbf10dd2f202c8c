import Foundation
import GRDB
import ImageModel
import Testing

@testable import ImageCatalog

/// The saved progress of full reads, with the digests of the chunks that they read.
@Suite struct ReadProgressTests {
    private let start = Fixture.start
    private static let size: Int64 = 1 << 40

    /// Progress after so many chunks and half a one; `seed` tells one content's digests from another's.
    private func progress(
        chunks count: Int, chunkSize: Int64 = 1 << 20, validator: String? = "v", seed: Int = 0
    ) throws -> ReadProgress {
        let layout = try #require(ChunkLayout(size: Self.size, chunkSize: chunkSize))
        let digests = (0..<count).flatMap { chunk in
            (0..<layout.algorithm.byteCount).map { UInt8(truncatingIfNeeded: (chunk + seed) * 31 + $0) }
        }
        return ReadProgress(
            position: layout.start(of: count) + layout.chunkSize / 2, size: Self.size,
            validator: validator.map { Validator($0) }, digests: [1, 2, 3],
            chunks: .init(layout: layout, digests: digests, state: [UInt8(truncatingIfNeeded: count), 7]))
    }

    private func location(_ fixture: Fixture) async throws -> LocationID {
        try await fixture.location(of: try await fixture.image(), size: Self.size).id
    }

    private func save(_ progress: ReadProgress?, of location: LocationID, _ fixture: Fixture) async throws {
        try await fixture.catalog.saveReadProgress(progress, of: location, at: start)
    }

    private func pageRows(_ fixture: Fixture) async throws -> [Int64] {
        try await fixture.catalog.read { db in
            try Int64.fetchAll(db, sql: "SELECT rowid FROM read_progress_page ORDER BY page")
        }
    }

    @Test("The chunks of many pages survive a restart")
    func theChunksOfManyPagesSurviveARestart() async throws {
        let fixture = try Fixture()
        let location = try await location(fixture)
        let progress = try progress(chunks: 2500)
        try await save(progress, of: location, fixture)
        let reopened = try SQLiteCatalog(path: fixture.path)
        #expect(try await reopened.readProgress(of: location) == progress)
    }

    @Test("A checkpoint writes only the pages that grew")
    func aCheckpointWritesOnlyThePagesThatGrew() async throws {
        let fixture = try Fixture()
        let location = try await location(fixture)
        // Below, at and beyond the edges of pages.
        var earlier: [Int64] = []
        for count in [0, 1, 1023, 1024, 1025, 2048, 2500, 3072, 3073] {
            let progress = try progress(chunks: count)
            try await save(progress, of: location, fixture)
            #expect(try await fixture.catalog.readProgress(of: location) == progress, "\(count) chunks")
            let rows = try await pageRows(fixture)
            #expect(rows.count == (count + 1023) / 1024)
            #expect(rows.prefix(max(0, earlier.count - 1)) == earlier.dropLast()[...], "full pages were written again")
            earlier = rows
        }
    }

    @Test("The chunks of another object replace the earlier ones")
    func chunksOfAnotherObjectReplaceTheEarlierOnes() async throws {
        let fixture = try Fixture()
        let location = try await location(fixture)
        try await save(try progress(chunks: 2500), of: location, fixture)
        let other = try progress(chunks: 2600, validator: "w", seed: 5)
        try await save(other, of: location, fixture)
        #expect(try await fixture.catalog.readProgress(of: location) == other)
    }

    @Test("A read that began again keeps no earlier pages")
    func aReadThatBeganAgainKeepsNoEarlierPages() async throws {
        let fixture = try Fixture()
        let location = try await location(fixture)
        try await save(try progress(chunks: 2500, validator: nil), of: location, fixture)
        let other = try progress(chunks: 100, validator: nil, seed: 5)
        try await save(other, of: location, fixture)
        #expect(try await fixture.catalog.readProgress(of: location) == other)
        #expect(try await pageRows(fixture).count == 1)
    }

    @Test("Chunks of another size replace the earlier ones")
    func chunksOfAnotherSizeReplaceTheEarlierOnes() async throws {
        let fixture = try Fixture()
        let location = try await location(fixture)
        try await save(try progress(chunks: 2500), of: location, fixture)
        let other = try progress(chunks: 2000, chunkSize: 2 << 20, seed: 5)
        try await save(other, of: location, fixture)
        #expect(try await fixture.catalog.readProgress(of: location) == other)
    }

    @Test("A read without chunks leaves no pages")
    func aReadWithoutChunksLeavesNoPages() async throws {
        let fixture = try Fixture()
        let location = try await location(fixture)
        try await save(try progress(chunks: 2500), of: location, fixture)
        let bare = ReadProgress(position: 3 << 30, size: Self.size, validator: Validator("v"), digests: [1])
        try await save(bare, of: location, fixture)
        #expect(try await fixture.catalog.readProgress(of: location) == bare)
        #expect(try await pageRows(fixture).isEmpty)
    }

    @Test("Pages are deleted with their progress")
    func pagesAreDeletedWithTheirProgress() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        let location = try await fixture.location(of: image, size: Self.size).id
        for forget in [
            { try await save(nil, of: location, fixture) }, { try await fixture.catalog.deleteImage(image.id) },
        ] {
            try await save(try progress(chunks: 2500), of: location, fixture)
            #expect(try await pageRows(fixture).count == 3)
            try await forget()
            #expect(try await fixture.catalog.readProgress(of: location) == nil)
            #expect(try await pageRows(fixture).isEmpty)
        }
    }

    @Test("A deleted location keeps no progress")
    func aDeletedLocationKeepsNoProgress() async throws {
        let fixture = try Fixture()
        let location = try await fixture.location(of: try await fixture.image(), size: Self.size)
        try await save(try progress(chunks: 3), of: location.id, fixture)
        let leaving = try await fixture.apply(.delete, to: location)
        #expect(try await fixture.catalog.readProgress(of: location.id) != nil, "it may be restored")
        _ = try await fixture.apply(.expire, to: leaving)
        #expect(try await fixture.catalog.readProgress(of: location.id) == nil)
        try await save(try progress(chunks: 3), of: location.id, fixture)
        #expect(try await fixture.catalog.readProgress(of: location.id) == nil, "a read that ends late writes nothing")
    }

    @Test("Chunks with an unknown algorithm are ignored")
    func chunksWithAnUnknownAlgorithmAreIgnored() async throws {
        let fixture = try Fixture()
        let location = try await location(fixture)
        let progress = try progress(chunks: 3)
        try await save(progress, of: location, fixture)
        try await fixture.catalog.write { db in try db.execute(sql: "UPDATE read_progress SET chunk_algorithm = 'blake9'") }
        let read = try #require(try await fixture.catalog.readProgress(of: location))
        #expect(read.chunks == nil && read.position == progress.position)
    }
}
