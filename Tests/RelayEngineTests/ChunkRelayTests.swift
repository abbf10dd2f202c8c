import BackendKit
import CurlTransfer
import FaultyOrigin
import ImageModel
import Synchronization
import Testing
import TokenBackend

@testable import RelayEngine

/// Relays that verify chunk by chunk, over real connections.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ChunkRelayTests {
    static let content = PatternedContent(size: 3_000_017, seed: 5)
    static let chunkSize: Int64 = 64 << 10

    private let loop = TransferLoop()
    private let door = TokenDoor()

    /// Relays from origins that answer with these behaviours in turn; later answers are sound.
    private func relay(
        _ behaviours: [[Behaviour]], range: ByteRange? = nil, manifest: Manifest? = nil, lateBy page: Int? = nil,
        making layout: ChunkLayout? = nil
    ) async throws -> (run: RelayRun, summary: RelaySummary?) {
        let origins = try behaviours.map { answers in
            let rest = Mutex(answers)
            return try FaultyOrigin(Self.content, behind: door) { _ in
                rest.withLock { $0.isEmpty ? .sound : $0.removeFirst() }
            }
        }
        defer { for origin in origins { origin.stop() } }
        return try await relay(from: origins, range: range, manifest: manifest, lateBy: page, making: layout)
    }

    private func relay(
        from origins: [FaultyOrigin], range: ByteRange? = nil, manifest: Manifest? = nil, lateBy page: Int? = nil,
        making layout: ChunkLayout? = nil
    ) async throws -> (run: RelayRun, summary: RelaySummary?) {
        let run = RelayRun(of: Self.content, range: range)
        let pages = (0..<(manifest?.layout.pageCount ?? 0)).filter { $0 != page }
        let source = manifest.map { manifest in
            RelayManifest(
                layout: manifest.layout,
                pages: Dictionary(uniqueKeysWithValues: pages.map { ($0, manifest.digests(ofPage: $0)) })
            ) { page, loaded in
                Task { loaded(manifest.digests(ofPage: page)) }
            }
        }
        let relay = run.start(
            origins.map { TokenDriver(door, url: $0.url()) }, manifest: source, making: layout, on: loop)
        let summary = await run.ended()
        withExtendedLifetime(relay) {}
        return (run, summary)
    }

    private func manifest(chunkSize: Int64 = chunkSize) throws -> Manifest {
        let layout = try #require(ChunkLayout(size: Self.content.size, chunkSize: chunkSize))
        return try #require(Self.content.manifest(layout))
    }

    @Test("Bytes before the range are not delivered while they are all that has come", arguments: [false, true])
    func bytesBeforeTheRangeAreNotDelivered(isWrong: Bool) async throws {
        defer { loop.stop() }
        let range = try #require(ByteRange(first: 3 * Self.chunkSize + 40_000, last: 2_000_000))
        // Silent before the first requested byte: the bytes before it are needed only for the chunk's digest.
        let slow = Behaviour.pause(after: 20_000, for: .milliseconds(200))
        let first = isWrong ? slow.corrupting(at: 3 * Self.chunkSize + 50_000) : slow
        let (run, summary) = try await relay([[first], [slow]], range: range, manifest: manifest())
        #expect(summary?.outcome == .finished)
        #expect(run.isExact)
        #expect(summary?.rejectedChunks.count == (isWrong ? 1 : 0))
    }

    @Test("A whole download that matches leaves a manifest")
    func aWholeDownloadThatMatchesLeavesAManifest() async throws {
        defer { loop.stop() }
        let layout = try #require(ChunkLayout(size: Self.content.size, chunkSize: Self.chunkSize))
        let (run, summary) = try await relay([[.reset(after: 700_000)], []], making: layout)
        #expect(run.isExact)
        #expect(try summary?.manifest == manifest())
    }

    @Test("A whole download that does not match leaves no manifest")
    func aWholeDownloadThatDoesNotMatchLeavesNone() async throws {
        defer { loop.stop() }
        let layout = try #require(ChunkLayout(size: Self.content.size, chunkSize: Self.chunkSize))
        let (_, summary) = try await relay([[.corrupt(at: 1000)]], making: layout)
        #expect(summary?.outcome == .digestMismatch)
        #expect(summary?.manifest == nil)
    }

    @Test("A corrupt chunk is fetched from another location and never delivered")
    func aCorruptChunkIsFetchedElsewhereAndNeverDelivered() async throws {
        defer { loop.stop() }
        let (run, summary) = try await relay([[.corrupt(at: 1_000_000)], []], manifest: manifest())
        #expect(summary?.outcome == .finished)
        #expect(run.isExact)
        #expect(summary?.rejectedChunks.map(\.start) == [1_000_000 / Self.chunkSize * Self.chunkSize])
        #expect(summary?.rejectedChunks.first?.contributors.count == 1)
        #expect(summary?.failovers.map(\.cause.reason) == [.wrongDigest])
        #expect(summary?.verifiedAlone == nil)
    }

    @Test("The only location is asked again for a chunk that was corrupted on the way")
    func theOnlyLocationIsAskedAgainForACorruptChunk() async throws {
        defer { loop.stop() }
        let (run, summary) = try await relay([[.corrupt(at: 1_000_000)]], manifest: manifest())
        #expect(run.isExact)
        #expect(summary?.rejectedChunks.count == 1)
        #expect(summary?.verifiedAlone == nil, "the location is suspect, and right chunks do not clear it")
    }

    @Test("A location that gave a wrong chunk is asked again past caches, and a right chunk does not verify it")
    func aCacheThatIsWrong() async throws {
        defer { loop.stop() }
        // A cache in front of the origin answers each request that does not bypass caches.
        let origin = try FaultyOrigin(Self.content, behind: door) {
            $0["cache-control"]?.contains("no-cache") == true ? .sound : .corrupt(at: 1_000_000)
        }
        defer { origin.stop() }
        let (run, summary) = try await relay(from: [origin], manifest: manifest())
        #expect(summary?.outcome == .finished && run.isExact)
        #expect(origin.record.requests.map { $0["cache-control"] != nil } == [false, true])
        #expect(summary?.verifiedAlone == nil)
    }

    @Test("Wrong chunks one after the other from one location are one entry with a count")
    func repeatedWrongChunksAreOneEntry() async throws {
        defer { loop.stop() }
        let wrong = (1...9).map { Behaviour.corrupt(at: $0 * 300_000) }
        let (run, summary) = try await relay([wrong], manifest: manifest())
        #expect(run.isExact)
        #expect(summary?.rejectedChunks.map(\.count) == [9])
        #expect(summary?.rejectedChunks.map(\.start) == [300_000 / Self.chunkSize * Self.chunkSize])
    }

    @Test("A chunk that is wrong everywhere ends the download before it")
    func aChunkThatIsWrongEverywhereEndsTheDownloadBeforeIt() async throws {
        defer { loop.stop() }
        let wrong = [Behaviour](repeating: .corrupt(at: 1_000_000), count: 9)
        let (run, summary) = try await relay([wrong], manifest: manifest())
        #expect(summary?.outcome == .exhausted)
        #expect(run.count == 1_000_000 / Self.chunkSize * Self.chunkSize)
        #expect(summary?.contradictors == [], "one location alone is no contradiction")
    }

    @Test("Locations that agree against the manifest are named")
    func locationsThatAgreeAgainstTheManifestAreNamed() async throws {
        defer { loop.stop() }
        let wrong = [Behaviour](repeating: .corrupt(at: 1_000_000), count: 9)
        let (_, summary) = try await relay([wrong, wrong], manifest: manifest())
        #expect(summary?.outcome == .exhausted)
        #expect(summary?.contradictors.count == 2)
    }

    @Test("Two locations with different corrupt chunks make one exact image")
    func twoCorruptLocationsMakeOneExactImage() async throws {
        defer { loop.stop() }
        let one = [Behaviour](repeating: .corrupt(at: 1_000_000), count: 9)
        let other = [Behaviour](repeating: .corrupt(at: 2_000_000), count: 9)
        let (run, summary) = try await relay([one, other], manifest: manifest())
        #expect(summary?.outcome == .finished)
        #expect(run.isExact)
        #expect(summary?.rejectedChunks.count == 2)
    }

    @Test("A wrong chunk from two locations makes both suspect and is fetched whole from one")
    func aWrongChunkOfTwoLocationsMakesBothSuspect() async throws {
        defer { loop.stop() }
        // The first corrupts byte 1,000,000 and fails in the same chunk.
        let dying = Behaviour.corrupt(at: 1_000_000).ending(.reset(after: 1_001_000))
        let (run, summary) = try await relay([[dying], []], manifest: manifest(chunkSize: 1 << 20))
        #expect(run.isExact)
        #expect(summary?.rejectedChunks.map { $0.contributors.count } == [2])
    }

    @Test(
        "A range is verified by whole chunks and delivered as requested",
        arguments: [(0, 0), (65_535, 65_536), (70_000, 2_000_000), (2_999_999, 3_000_016), (131_072, 196_607)])
    func aRangeIsVerifiedByWholeChunks(first: Int64, last: Int64) async throws {
        defer { loop.stop() }
        let range = try #require(ByteRange(first: first, last: last))
        // A wrong byte outside the range, but within its first chunk, moves the relay as well.
        let (run, summary) = try await relay(
            [[.corrupt(at: first / Self.chunkSize * Self.chunkSize)], []], range: range, manifest: manifest())
        #expect(summary?.outcome == .finished)
        #expect(run.isExact)
        #expect(summary?.rejectedChunks.count == 1)
        #expect(summary?.parts.map(\.first) == [first])
        #expect(summary?.parts.map(\.last) == [last])
        let taken = (last / Self.chunkSize - first / Self.chunkSize + 1) * Self.chunkSize
        #expect(
            (summary?.extraBytes ?? 0) >= min(taken, Self.content.size) - range.count, "bytes fetched in vain are counted")
    }

    /// The chunk's beginning comes piece by piece, so that the relay sees some of it alone.
    @Test(
        "A range deep in a large chunk starts with its own first byte",
        arguments: [Behaviour.sound, .corrupt(at: 1_100_000), .corrupt(at: 2_050_000)])
    func aRangeDeepInALargeChunkStartsWithItsFirstByte(behaviour: Behaviour) async throws {
        defer { loop.stop() }
        let range = try #require(ByteRange(first: 1_900_000, last: 2_500_000))
        let (run, summary) = try await relay(
            [[behaviour.paced(16 << 20)], []], range: range, manifest: manifest(chunkSize: 1 << 20))
        #expect(summary?.outcome == .finished)
        #expect(run.isExact)
    }

    @Test("Bytes before a range in its first chunk are never delivered, however slowly they come")
    func slowBytesBeforeARangeAreNeverDelivered() async throws {
        defer { loop.stop() }
        let range = try #require(ByteRange(first: 1_000_000, last: 1_100_000))
        let (run, summary) = try await relay(
            [[.sound.paced(4_000_000)]], range: range, manifest: manifest(chunkSize: 1 << 20))
        #expect(summary?.outcome == .finished)
        #expect(run.isExact)
    }

    @Test("A range's first chunk that is fetched again is delivered from the range's first byte")
    func aRefetchedFirstChunkIsDeliveredFromTheRange() async throws {
        defer { loop.stop() }
        let range = try #require(ByteRange(first: 1_000_000, last: 1_100_000))
        // So slow that the bytes before the range are dropped long before the chunk is rejected.
        let (run, summary) = try await relay(
            [[.corrupt(at: 1_048_000).paced(4_000_000)], []], range: range, manifest: manifest(chunkSize: 1 << 20))
        #expect(summary?.outcome == .finished)
        #expect(run.isExact)
        #expect(summary?.rejectedChunks.map(\.start) == [0])
    }

    @Test("Manifest pages that come late hold their chunks back")
    func pagesThatComeLateHoldTheirChunksBack() async throws {
        defer { loop.stop() }
        let manifest = try manifest(chunkSize: 1000)
        let (run, summary) = try await relay([[]], manifest: manifest, lateBy: 2)
        #expect(summary?.outcome == .finished)
        #expect(run.isExact)
    }
}
