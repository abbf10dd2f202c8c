import ImageModel
import Testing

@testable import Integrity

@Suite struct ChunkVerifierTests {
    private func pages(_ content: ChunkedContent) throws -> [[UInt8]] {
        try #require(Manifest(layout: content.layout, digests: content.digests)).pages.map(\.digests)
    }

    @Test("Chunks are verified as they end, whatever the size of the buffers")
    func chunksAreVerifiedAsTheyEnd() throws {
        let content = try ChunkedContent(size: 1037, chunkSize: 100)
        for piece in [1, 7, 99, 100, 101, 250, 5000] {
            var verifier = ChunkVerifier(content.layout, from: 0)
            verifier.supply(try pages(content)[0], ofPage: 0)
            var taken: Int64 = 0
            content.forEach(piece) {
                verifier.update($0)
                taken += Int64($0.count)
                #expect(verifier.verified == (taken == 1037 ? 1037 : taken / 100 * 100), "pieces of \(piece)")
            }
            #expect(verifier.verified == 1037 && verifier.rejectedChunk == nil && verifier.neededPage == nil)
        }
    }

    @Test("A range is verified from its first chunk on")
    func aRangeIsVerifiedFromItsFirstChunkOn() throws {
        let content = try ChunkedContent(size: 1037, chunkSize: 100)
        var verifier = ChunkVerifier(content.layout, from: 300)
        verifier.supply(try pages(content)[0], ofPage: 0)
        #expect(verifier.verified == 300)
        content.forEach(64, in: 300..<650) { verifier.update($0) }
        #expect(verifier.verified == 600 && verifier.rejectedChunk == nil)
    }

    /// Every byte counts, and the chunk that contains a wrong one is rejected.
    @Test("A wrong byte rejects its own chunk")
    func aWrongByteRejectsItsOwnChunk() throws {
        let content = try ChunkedContent(size: 1037, chunkSize: 100)
        let pages = try pages(content)
        for position in [0, 99, 100, 550, 999, 1000, 1036] {
            var wrong = content
            wrong.bytes[position] ^= 1
            for piece in [1, 100, 130, 5000] {
                var verifier = ChunkVerifier(content.layout, from: 0)
                verifier.supply(pages[0], ofPage: 0)
                wrong.forEach(piece) { verifier.update($0) }
                let chunk = position / 100
                #expect(verifier.verified == Int64(chunk * 100), "byte \(position), pieces of \(piece)")
                #expect(verifier.rejectedChunk == .init(start: Int64(chunk * 100), digest: wrong.digest(of: chunk)))
            }
        }
    }

    @Test("Bytes after a rejected chunk are ignored until it is fetched again")
    func bytesAfterARejectedChunkAreIgnored() throws {
        let content = try ChunkedContent(size: 1037, chunkSize: 100)
        var wrong = content
        wrong.bytes[250] ^= 1
        var verifier = ChunkVerifier(content.layout, from: 0)
        verifier.supply(try pages(content)[0], ofPage: 0)
        wrong.forEach(330, in: 0..<330) { verifier.update($0) }
        let rejection = verifier.rejectedChunk
        #expect(rejection?.start == 200)
        content.forEach(50, in: 300..<700) { verifier.update($0) }
        #expect(verifier.verified == 200 && verifier.rejectedChunk == rejection)
        verifier.restart()
        #expect(verifier.rejectedChunk == nil)
        content.forEach(50, in: 200..<1037) { verifier.update($0) }
        #expect(verifier.verified == 1037)
    }

    @Test("A chunk that is wrong again is rejected again")
    func aChunkThatIsWrongAgainIsRejectedAgain() throws {
        let content = try ChunkedContent(size: 250, chunkSize: 100)
        var verifier = ChunkVerifier(content.layout, from: 0)
        verifier.supply(try pages(content)[0], ofPage: 0)
        for byte in [120, 130, 199] {
            var wrong = content
            wrong.bytes[byte] ^= 1
            wrong.forEach(64, in: Int(verifier.verified)..<250) { verifier.update($0) }
            #expect(verifier.rejectedChunk == .init(start: 100, digest: wrong.digest(of: 1)))
            verifier.restart()
        }
        content.forEach(64, in: 100..<250) { verifier.update($0) }
        #expect(verifier.verified == 250)
    }

    @Test("A restart without a rejection changes nothing")
    func aRestartWithoutARejectionChangesNothing() throws {
        let content = try ChunkedContent(size: 250, chunkSize: 100)
        var verifier = ChunkVerifier(content.layout, from: 0)
        verifier.supply(try pages(content)[0], ofPage: 0)
        content.forEach(150, in: 0..<150) { verifier.update($0) }
        verifier.restart()
        content.forEach(100, in: 150..<250) { verifier.update($0) }
        #expect(verifier.verified == 250)
    }

    @Test("No chunk is verified before its manifest page is there")
    func noChunkIsVerifiedBeforeItsPageIsThere() throws {
        let content = try ChunkedContent(size: 1037, chunkSize: 100)
        var verifier = ChunkVerifier(content.layout, from: 0)
        #expect(verifier.neededPage == 0 && !verifier.has(page: 0))
        content.forEach(64, in: 0..<650) { verifier.update($0) }
        #expect(verifier.verified == 0)
        verifier.supply(try pages(content)[0], ofPage: 0)
        #expect(verifier.verified == 600 && verifier.has(page: 0), "what came before the page is compared when it comes")
        content.forEach(64, in: 650..<1037) { verifier.update($0) }
        #expect(verifier.verified == 1037)
    }

    @Test("A manifest page that comes late rejects a wrong chunk")
    func aPageThatComesLateRejectsAWrongChunk() throws {
        let content = try ChunkedContent(size: 1037, chunkSize: 100)
        var wrong = content
        wrong.bytes[350] ^= 1
        var verifier = ChunkVerifier(content.layout, from: 0)
        wrong.forEach(64, in: 0..<650) { verifier.update($0) }
        verifier.supply(try pages(content)[0], ofPage: 0)
        #expect(verifier.verified == 300 && verifier.rejectedChunk?.start == 300)
        verifier.restart()
        content.forEach(64, in: 300..<1037) { verifier.update($0) }
        #expect(verifier.verified == 1037)
    }

    @Test("A chunk after a page's end waits for its own page")
    func aChunkAfterAPagesEndWaitsForItsOwnPage() throws {
        let content = try ChunkedContent(size: 2500 * 4 - 1, chunkSize: 4)
        let pages = try pages(content)
        #expect(pages.count == 3)
        var verifier = ChunkVerifier(content.layout, from: 0)
        verifier.supply(pages[0], ofPage: 0)
        content.forEach(1000) { verifier.update($0) }
        #expect(verifier.verified == 1024 * 4 && verifier.neededPage == 1)
        #expect(verifier.has(page: 0), "the page was supplied, and is no longer needed")
        #expect(!verifier.has(page: 1) && !verifier.has(page: 2))
        verifier.supply(pages[2], ofPage: 2)
        #expect(verifier.verified == 1024 * 4 && verifier.has(page: 2), "the one between is missing")
        verifier.supply(pages[1], ofPage: 1)
        #expect(verifier.verified == content.layout.size && verifier.neededPage == nil)
    }

    @Test("The manifest pages of a long read are needed one by one")
    func thePagesOfALongReadAreNeededOneByOne() throws {
        let content = try ChunkedContent(size: 3100 * 4, chunkSize: 4)
        let pages = try pages(content)
        var verifier = ChunkVerifier(content.layout, from: 0)
        var supplied: [Int] = []
        content.forEach(37) {
            if let needed = verifier.neededPage, !verifier.has(page: needed) {
                verifier.supply(pages[needed], ofPage: needed)
                supplied.append(needed)
            }
            verifier.update($0)
        }
        if let needed = verifier.neededPage { verifier.supply(pages[needed], ofPage: needed) }
        #expect(verifier.verified == content.layout.size && verifier.rejectedChunk == nil)
        #expect(supplied == [0, 1, 2, 3])
    }

    @Test("A range in the last manifest page needs only that page")
    func aRangeInTheLastPageNeedsOnlyThatPage() throws {
        let content = try ChunkedContent(size: 2500 * 4 - 1, chunkSize: 4)
        var verifier = ChunkVerifier(content.layout, from: 2100 * 4)
        #expect(verifier.neededPage == 2)
        verifier.supply(try pages(content)[2], ofPage: 2)
        content.forEach(100, in: 2100 * 4..<content.bytes.count) { verifier.update($0) }
        #expect(verifier.verified == content.layout.size)
    }

    @Test("A manifest page that is too short verifies only the chunks it lists")
    func aPageThatIsTooShortVerifiesOnlyItsChunks() throws {
        let content = try ChunkedContent(size: 250, chunkSize: 100)
        var verifier = ChunkVerifier(content.layout, from: 0)
        verifier.supply(Array(try pages(content)[0].prefix(64)), ofPage: 0)
        content.forEach(250) { verifier.update($0) }
        #expect(verifier.verified == 200 && verifier.rejectedChunk == nil)
    }
}
