import ImageModel
import Integrity
import Testing

@Suite struct ManifestBuilderTests {
    private func built(_ content: ChunkedContent, piece: Int) -> ManifestBuilder {
        var builder = ManifestBuilder(content.layout)
        content.forEach(piece) { builder.update($0) }
        return builder
    }

    @Test("Buffers of any size give the digest of each chunk")
    func buffersOfAnySizeGiveTheDigestOfEachChunk() throws {
        for size in [1, 99, 100, 101, 1000, 1037] {
            let content = try ChunkedContent(size: size, chunkSize: 100)
            let digests = content.digests
            for piece in [1, 7, 99, 100, 101, 250, 5000] {
                let manifest = try #require(built(content, piece: piece).manifest)
                #expect(manifest.digests == digests, "\(size) bytes in pieces of \(piece)")
                #expect(manifest.layout == content.layout)
            }
        }
    }

    @Test("There is no manifest before the last byte")
    func thereIsNoManifestBeforeTheLastByte() throws {
        let content = try ChunkedContent(size: 250, chunkSize: 100)
        var builder = ManifestBuilder(content.layout)
        for byte in 0..<250 {
            #expect(builder.manifest == nil && builder.position == Int64(byte))
            content.forEach(1, in: byte..<byte + 1) { builder.update($0) }
        }
        #expect(builder.manifest?.digests == content.digests)
    }

    @Test("Bytes after the last one are ignored")
    func bytesAfterTheLastOneAreIgnored() throws {
        let content = try ChunkedContent(size: 250, chunkSize: 100)
        var builder = built(content, piece: 64)
        content.forEach(64) { builder.update($0) }
        #expect(builder.manifest?.digests == content.digests)
    }

    @Test("Other algorithms have digests of their own length")
    func otherAlgorithmsHaveDigestsOfTheirLength() throws {
        var content = try ChunkedContent(size: 250, chunkSize: 100)
        let layout = try #require(ChunkLayout(size: 250, chunkSize: 100, algorithm: .sha512))
        var builder = ManifestBuilder(layout)
        content.forEach(64) { builder.update($0) }
        #expect(builder.manifest?.digests.count == 3 * 64)
        content.bytes.removeLast(50)
        let stream = DigestStream(.sha512)
        content.bytes[100..<200].withUnsafeBytes { stream.update($0) }
        #expect(builder.manifest?.digests[64..<128] == stream.finish().bytes[...])
    }

    @Test("A manifest builder continues from its snapshot at any byte")
    func aBuilderContinuesFromItsSnapshotAtAnyByte() throws {
        let content = try ChunkedContent(size: 1037, chunkSize: 100)
        let digests = content.digests
        for cut in [0, 1, 64, 99, 100, 101, 163, 500, 1000, 1036, 1037] {
            var half = ManifestBuilder(content.layout)
            content.forEach(33, in: 0..<cut) { half.update($0) }
            var resumed = try #require(
                ManifestBuilder(content.layout, position: half.position, digests: half.digests, snapshot: half.snapshot))
            content.forEach(33, in: cut..<1037) { resumed.update($0) }
            #expect(resumed.manifest?.digests == digests, "cut at \(cut)")
        }
    }

    @Test("A manifest builder rejects a snapshot that does not fit")
    func aSnapshotThatDoesNotFitIsRejected() throws {
        let content = try ChunkedContent(size: 1037, chunkSize: 100)
        var half = ManifestBuilder(content.layout)
        content.forEach(250, in: 0..<250) { half.update($0) }
        func resumed(_ position: Int64, _ digests: [UInt8], _ snapshot: [UInt8]) -> ManifestBuilder? {
            ManifestBuilder(content.layout, position: position, digests: digests, snapshot: snapshot)
        }
        #expect(resumed(250, half.digests, half.snapshot) != nil)
        #expect(resumed(350, half.digests, half.snapshot) == nil, "a digest is missing")
        #expect(resumed(150, half.digests, half.snapshot) == nil, "a digest too many")
        #expect(resumed(250, half.digests.dropLast(), half.snapshot) == nil)
        #expect(resumed(250, half.digests, half.snapshot.dropLast()) == nil)
        #expect(resumed(250, half.digests, half.snapshot.map { _ in 0xFF }) == nil)
        #expect(resumed(-1, [], half.snapshot) == nil)
        #expect(resumed(1038, content.digests, half.snapshot) == nil)
    }

    @Test("A manifest builder can start again")
    func aBuilderCanStartAgain() throws {
        let content = try ChunkedContent(size: 250, chunkSize: 100)
        var builder = ManifestBuilder(content.layout)
        content.forEach(130, in: 0..<130) { builder.update($0) }
        builder.start()
        #expect(builder.position == 0)
        content.forEach(130) { builder.update($0) }
        #expect(builder.manifest?.digests == content.digests)
    }
}

@Suite struct ManifestPageTests {
    @Test("The seal detects a damaged page")
    func theSealDetectsADamagedPage() throws {
        let content = try ChunkedContent(size: 1500, chunkSize: 1)
        let manifest = try #require(Manifest(layout: content.layout, digests: content.digests))
        let pages = manifest.pages
        #expect(pages.map(\.number) == [0, 1])
        #expect(pages.flatMap(\.digests) == manifest.digests)
        for page in pages {
            #expect(page.isIntact(in: content.layout))
            for index in [0, 31, page.digests.count - 1] {
                var digests = page.digests
                digests[index] ^= 1
                #expect(!ManifestPage(number: page.number, digests: digests, seal: page.seal).isIntact(in: content.layout))
            }
            var seal = page.seal
            seal[5] ^= 0x80
            #expect(!ManifestPage(number: page.number, digests: page.digests, seal: seal).isIntact(in: content.layout))
        }
    }

    @Test("A page that does not fit the layout is not intact")
    func aPageThatDoesNotFitTheLayoutIsNotIntact() throws {
        let content = try ChunkedContent(size: 1500, chunkSize: 1)
        let pages = try #require(Manifest(layout: content.layout, digests: content.digests)).pages
        #expect(!ManifestPage(sealing: pages[0].digests, number: 1).isIntact(in: content.layout), "another page's length")
        #expect(!ManifestPage(sealing: pages[1].digests, number: 2).isIntact(in: content.layout), "beyond the last")
        #expect(!ManifestPage(sealing: pages[0].digests, number: -1).isIntact(in: content.layout))
        #expect(!ManifestPage(sealing: Array(pages[0].digests.dropLast(32)), number: 0).isIntact(in: content.layout))
    }
}
