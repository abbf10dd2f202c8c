import FormatInspection
import ImageCatalog
import ImageModel
import Integrity
import Testing

@testable import Verification

@Suite struct ReadDigestsTests {
    private static let bytes = (0..<10_007).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    private static let size = Int64(bytes.count)
    private static let algorithms: Set<DigestAlgorithm> = [.sha256, .md5]

    private func begun(chunkSize: Int64? = 1000, progress: ReadProgress? = nil) -> ReadDigests {
        var digests = ReadDigests(Self.algorithms, chunkSize: chunkSize, progress: progress)
        digests.begin(size: Self.size)
        return digests
    }

    private func take(_ range: Range<Int>, _ digests: inout ReadDigests, from bytes: [UInt8] = bytes) {
        for first in stride(from: range.lowerBound, to: range.upperBound, by: 333) {
            bytes[first..<min(range.upperBound, first + 333)].withUnsafeBytes { digests.update($0) }
        }
    }

    private func progress(_ digests: ReadDigests) -> ReadProgress {
        digests.progress(size: Self.size, validator: Validator("v"))
    }

    /// What an uninterrupted read gives.
    private func whole(chunkSize: Int64? = 1000) -> ReadDigests {
        var digests = begun(chunkSize: chunkSize)
        take(0..<Self.bytes.count, &digests)
        return digests
    }

    @Test("The manifest lists the digest of each chunk")
    func theManifestListsTheDigestOfEachChunk() throws {
        let manifest = try #require(whole().manifest)
        #expect(manifest.layout == ChunkLayout(size: Self.size, chunkSize: 1000))
        let expected = stride(from: 0, to: Self.bytes.count, by: 1000).flatMap { first in
            let stream = DigestStream(.sha256)
            Self.bytes[first..<min(Self.bytes.count, first + 1000)].withUnsafeBytes { stream.update($0) }
            return stream.finish().bytes
        }
        #expect(manifest.digests == expected)
    }

    @Test("Without a chunk size there is no manifest")
    func withoutAChunkSizeThereIsNoManifest() {
        let digests = whole(chunkSize: nil)
        #expect(digests.manifest == nil)
        #expect(progress(digests).chunks == nil)
        #expect(digests.finished == whole().finished, "the digests of the whole do not depend on it")
    }

    @Test("An empty object has no manifest")
    func anEmptyObjectHasNoManifest() {
        var digests = ReadDigests(Self.algorithms, chunkSize: 1000, progress: nil)
        digests.begin(size: 0)
        #expect(digests.manifest == nil)
    }

    @Test("An unfinished read has no manifest")
    func anUnfinishedReadHasNoManifest() {
        var digests = begun()
        take(0..<Self.bytes.count - 1, &digests)
        #expect(digests.manifest == nil)
    }

    @Test("A later head does not discard what was read before")
    func aLaterHeadDoesNotDiscardWhatWasRead() {
        var digests = begun()
        take(0..<2500, &digests)
        digests.begin(size: Self.size)
        take(2500..<Self.bytes.count, &digests)
        #expect(digests.manifest == whole().manifest)
    }

    @Test("The digests and the manifest continue where a restart stopped them")
    func digestsAndManifestContinueAfterARestart() throws {
        let expected = whole()
        for cut in [0, 1, 999, 1000, 1001, 5000, 10_006, 10_007] {
            var half = begun()
            take(0..<cut, &half)
            var resumed = begun(progress: progress(half))
            #expect(resumed.resumed == progress(half) && resumed.position == Int64(cut))
            take(cut..<Self.bytes.count, &resumed)
            #expect(resumed.manifest == expected.manifest, "cut at \(cut)")
            #expect(resumed.finished == expected.finished)
        }
    }

    @Test("A read resumes with the chunk size it began with")
    func aReadResumesWithTheChunkSizeItBeganWith() {
        var half = begun(chunkSize: 1000)
        take(0..<5000, &half)
        var resumed = begun(chunkSize: 2000, progress: progress(half))
        take(5000..<Self.bytes.count, &resumed)
        #expect(resumed.manifest == whole(chunkSize: 1000).manifest)
    }

    @Test("A read whose progress has no chunks resumes without a manifest")
    func progressWithoutChunksResumesWithoutAManifest() {
        var half = begun(chunkSize: nil)
        take(0..<5000, &half)
        var resumed = begun(progress: progress(half))
        #expect(resumed.position == 5000)
        take(5000..<Self.bytes.count, &resumed)
        #expect(resumed.manifest == nil && progress(resumed).chunks == nil)
        #expect(resumed.finished == whole().finished)
    }

    @Test("Chunks that do not fit their progress are dropped")
    func chunksThatDoNotFitTheirProgressAreDropped() throws {
        var half = begun()
        take(0..<5000, &half)
        let sound = progress(half)
        let chunks = try #require(sound.chunks)
        for broken in [
            ReadProgress.Chunks(layout: chunks.layout, digests: chunks.digests.dropLast(), state: chunks.state),
            .init(layout: chunks.layout, digests: chunks.digests, state: chunks.state.dropLast()),
            .init(layout: chunks.layout, digests: Array(chunks.digests.dropLast(32)), state: chunks.state),
        ] {
            var resumed = begun(
                progress: ReadProgress(
                    position: 5000, size: Self.size, validator: nil, digests: sound.digests, chunks: broken))
            #expect(resumed.position == 5000)
            take(5000..<Self.bytes.count, &resumed)
            #expect(resumed.manifest == nil && resumed.finished == whole().finished)
        }
    }

    private func inspected(_ disk: DiskFormat?, progress: ReadProgress? = nil) -> ReadDigests {
        var digests = ReadDigests(
            Self.algorithms, chunkSize: 1000, declared: disk.map { Format(disk: $0, container: .bare) }, progress: progress)
        digests.begin(size: Self.size)
        return digests
    }

    @Test("The inspection of the format continues after a restart, beside the digests")
    func inspectionGoesOn() {
        var bytes = Self.bytes
        bytes.replaceSubrange(0..<4, with: [0x51, 0x46, 0x49, 0xFB])
        for cut in [0, 1, 5000, 10_007] {
            var half = inspected(.raw)
            take(0..<cut, &half, from: bytes)
            var resumed = inspected(.raw, progress: progress(half))
            #expect(resumed.resumed == progress(half) && resumed.position == Int64(cut))
            take(cut..<bytes.count, &resumed, from: bytes)
            #expect(resumed.formatRefusal == .mismatch(declared: .raw, found: .qcow2), "cut at \(cut)")
        }
        var whole = inspected(nil)
        take(0..<bytes.count, &whole, from: bytes)
        #expect(whole.formatRefusal == nil, "the format was inspected")
    }

    @Test("Progress without a required inspection is discarded, and an unneeded inspection does no harm")
    func inspectionBegins() {
        var half = inspected(nil)
        take(0..<5000, &half)
        #expect(inspected(.raw, progress: progress(half)).position == 0)
        half = inspected(.raw)
        take(0..<5000, &half)
        var resumed = inspected(nil, progress: progress(half))
        #expect(resumed.position == 5000)
        take(5000..<Self.bytes.count, &resumed)
        #expect(resumed.finished == whole().finished && resumed.manifest == whole().manifest)
    }

    @Test("A damaged inspection discards the progress")
    func damagedInspection() {
        var half = inspected(.raw)
        take(0..<5000, &half)
        let sound = progress(half)
        for count in [1, 4, 5, 100, sound.digests.count - 1] {
            let damaged = ReadProgress(
                position: 5000, size: Self.size, validator: nil, digests: Array(sound.digests.prefix(count)),
                chunks: sound.chunks)
            #expect(inspected(.raw, progress: damaged).position == 0)
            #expect(inspected(nil, progress: damaged).position == 0)
        }
        let moved = ReadProgress(position: 4999, size: Self.size, validator: nil, digests: sound.digests, chunks: sound.chunks)
        #expect(inspected(.raw, progress: moved).position == 0)
    }

    @Test("Progress with other digests is discarded")
    func progressWithOtherDigestsIsDiscarded() {
        var half = ReadDigests([.sha512], chunkSize: 1000, progress: nil)
        half.begin(size: Self.size)
        take(0..<5000, &half)
        var digests = begun(progress: progress(half))
        #expect(digests.resumed == nil && digests.position == 0)
        take(0..<Self.bytes.count, &digests)
        #expect(digests.manifest == whole().manifest && digests.finished == whole().finished)
    }

    @Test("Another object is read from its first byte with its own size")
    func anotherObjectIsReadFromItsFirstByteWithItsOwnSize() {
        var half = begun()
        take(0..<5000, &half)
        var digests = begun(progress: progress(half))
        digests.start()
        #expect(digests.position == 0 && digests.manifest == nil && digests.resumed == nil)
        digests.begin(size: 2500)
        take(0..<2500, &digests)
        #expect(digests.manifest?.layout == ChunkLayout(size: 2500, chunkSize: 1000))
    }

    @Test("A long read saves its progress less often")
    func aLongReadSavesItsProgressLessOften() throws {
        #expect(begun().stride == 8 << 20)
        let layout = try #require(ChunkLayout(size: 1 << 40))
        let state = try #require(progress(begun()).chunks?.state)
        let position: Int64 = 1 << 39
        let digests = [UInt8](repeating: 0, count: (1 << 19) * 32)
        let long = ReadDigests(
            Self.algorithms, chunkSize: ChunkLayout.defaultChunkSize,
            progress: ReadProgress(
                position: position, size: 1 << 40, validator: nil, digests: progress(begun()).digests,
                chunks: .init(layout: layout, digests: digests, state: state)))
        #expect(long.position == position && long.stride == 64 << 20)
    }
}
