import ImageModel
import Testing

@Suite struct ChunkLayoutTests {
    private func layout(_ size: Int64, _ chunkSize: Int64) throws -> ChunkLayout {
        try #require(ChunkLayout(size: size, chunkSize: chunkSize))
    }

    @Test("An empty representation has no chunks")
    func anEmptyRepresentationHasNoChunks() {
        #expect(ChunkLayout(size: 0) == nil)
        #expect(ChunkLayout(size: -1) == nil)
        #expect(ChunkLayout(size: 10, chunkSize: 0) == nil)
    }

    @Test("By default a chunk is one MiB and its digest is sha256")
    func aChunkIsOneMebibyteWithSHA256ByDefault() throws {
        let layout = try #require(ChunkLayout(size: 3 << 20))
        #expect(layout.chunkSize == 1_048_576 && layout.algorithm == .sha256 && layout.count == 3)
    }

    @Test("The last chunk may be shorter")
    func theLastChunkMayBeShorter() throws {
        for (size, ends) in [(1, [1]), (3, [3]), (4, [4]), (5, [4, 5]), (8, [4, 8]), (11, [4, 8, 11])] as [(Int64, [Int64])] {
            let layout = try layout(size, 4)
            #expect(layout.count == ends.count)
            #expect((0..<layout.count).map(layout.end) == ends)
            #expect((0..<layout.count).map(layout.start) == [0] + ends.dropLast())
        }
    }

    /// Every byte lies in the chunk that it is said to lie in, and in no other.
    @Test("Chunks follow each other without gaps or overlaps")
    func chunksFollowEachOtherWithoutGaps() throws {
        for size in 1...30 as ClosedRange<Int64> {
            for chunkSize in 1...31 as ClosedRange<Int64> {
                let layout = try layout(size, chunkSize)
                for byte in 0..<size {
                    let chunk = layout.chunk(at: byte)
                    #expect((0..<layout.count).contains(chunk))
                    #expect(layout.start(of: chunk) <= byte && byte < layout.end(of: chunk))
                }
            }
        }
    }

    @Test("A range is widened to whole chunks")
    func aRangeIsWidenedToWholeChunks() throws {
        let layout = try layout(11, 4)
        func widened(_ first: Int64, _ last: Int64) throws -> String {
            layout.widened(try #require(ByteRange(first: first, last: last))).description
        }
        #expect(try widened(0, 0) == "0-3")
        #expect(try widened(3, 4) == "0-7")
        #expect(try widened(4, 7) == "4-7")
        #expect(try widened(5, 9) == "4-10")
        #expect(try widened(10, 10) == "8-10")
        #expect(try widened(9, 1000) == "8-10", "the range was not cut at the end")
        #expect(try widened(0, 10) == "0-10")
    }

    @Test("Pages list all chunks in order")
    func pagesListAllChunksInOrder() throws {
        for count in [1, 1023, 1024, 1025, 2048, 2500] {
            let layout = try layout(Int64(count), 1)
            let listed = (0..<layout.pageCount).flatMap { Array(layout.chunks(of: $0)) }
            #expect(listed == Array(0..<count))
            #expect(layout.pageCount == (count + 1023) / 1024)
            for page in 0..<layout.pageCount {
                for chunk in layout.chunks(of: page) { #expect(layout.page(of: chunk) == page) }
            }
        }
    }

    @Test("The layout of the largest size does not overflow")
    func theLargestSizesDoNotOverflow() throws {
        let layout = try layout(.max, 1 << 20)
        #expect(layout.end(of: layout.count - 1) == .max)
        #expect(layout.widened(try #require(ByteRange(first: .max - 1, last: .max - 1))).last == .max - 1)
    }

    @Test("A manifest has the digests of all chunks")
    func aManifestHasTheDigestsOfAllChunks() throws {
        let layout = try layout(1025, 1)
        let digests = (0..<1025 * 32).map { UInt8(truncatingIfNeeded: $0 / 32) }
        for wrong in [digests.count - 32, digests.count - 1] {
            #expect(Manifest(layout: layout, digests: Array(digests.prefix(wrong))) == nil)
        }
        let manifest = try #require(Manifest(layout: layout, digests: digests))
        #expect(manifest.digests(ofPage: 0) == Array(digests.prefix(1024 * 32)))
        #expect(manifest.digests(ofPage: 1) == [UInt8](repeating: 0, count: 32))
    }
}
