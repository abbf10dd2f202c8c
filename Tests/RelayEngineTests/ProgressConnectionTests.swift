import BackendKit
import CurlTransfer
import FaultyOrigin
import ImageModel
import LocationSelection
import Testing
import TokenBackend

@testable import RelayEngine

/// Origins that never deliver all requested bytes, over real connections.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ProgressConnectionTests {
    /// The bytes that each answer delivers, and the size of the image.
    struct Pieces: Sendable, CustomTestStringConvertible {
        let step: Int64
        let size: Int64
        var testDescription: String { "\(size) bytes in steps of \(step)" }
    }

    static let pieces: [Pieces] = [
        .init(step: 1, size: 300), .init(step: 17, size: 4001), .init(step: 4 << 10, size: 1_000_003),
        .init(step: 256 << 10, size: 4 << 20), .init(step: 512 << 10, size: 20 << 20),
    ]

    /// Few revisits, which only much progress refunds, and waits that would not end within the test.
    private static let policy: RelayPolicy = {
        var policy = RelayRun.patient
        policy.revisits = 3
        policy.refundAfter = 1 << 30
        policy.backoff = .seconds(600)
        policy.backoffLimit = .seconds(600)
        return policy
    }()

    private func relay(
        _ pieces: Pieces, chunks: Bool = false, _ behaviour: @escaping @Sendable (OriginRequest) -> Behaviour
    ) async throws -> (run: RelayRun, summary: RelaySummary?, requests: [OriginRequest]) {
        let loop = TransferLoop()
        defer { loop.stop() }
        let content = PatternedContent(size: pieces.size, seed: 140)
        let door = TokenDoor()
        let origin = try FaultyOrigin(content, behind: door, behaviour: behaviour)
        defer { origin.stop() }
        let run = RelayRun(of: content)
        let manifest =
            chunks ? ChunkLayout(size: pieces.size, chunkSize: pieces.step * 3 + 1).flatMap { content.manifest($0) } : nil
        let source = manifest.map { manifest in
            RelayManifest(
                layout: manifest.layout,
                pages: Dictionary(
                    uniqueKeysWithValues: (0..<manifest.layout.pageCount).map { ($0, manifest.digests(ofPage: $0)) })
            ) { page, loaded in loaded(manifest.digests(ofPage: page)) }
        }
        let relay = run.start([TokenDriver(door, url: origin.url())], manifest: source, policy: Self.policy, on: loop)
        let summary = await run.ended()
        withExtendedLifetime(relay) {}
        return (run, summary, origin.record.requests)
    }

    @Test(
        "An image is exact, without a wait or a revisit, even if every answer breaks", arguments: pieces, [false, true])
    func everyAnswerBreaks(pieces: Pieces, chunks: Bool) async throws {
        let (run, summary, requests) = try await relay(pieces, chunks: chunks) { _ in .close(after: pieces.step) }
        #expect(summary?.outcome == .finished)
        #expect(run.isExact)
        let breaks = Int((pieces.size - 1) / pieces.step)
        #expect(requests.count == breaks + 1)
        #expect(summary?.failures.map(\.count) == [breaks], "one entry, however often it happened")
        #expect(summary?.failovers.isEmpty == true)
    }

    @Test("An image is exact even if every answer is reset", arguments: pieces.suffix(3))
    func everyAnswerIsReset(pieces: Pieces) async throws {
        let (run, summary, _) = try await relay(pieces) { _ in .reset(after: pieces.step) }
        #expect(summary?.outcome == .finished)
        #expect(run.isExact)
    }

    @Test("An origin whose answers are shorter than requested does not count as failing", arguments: pieces, [false, true])
    func everyAnswerIsShort(pieces: Pieces, chunks: Bool) async throws {
        let (run, summary, requests) = try await relay(pieces, chunks: chunks) { _ in .capped(at: pieces.step) }
        #expect(summary?.outcome == .finished)
        #expect(run.isExact)
        #expect(requests.count == Int((pieces.size + pieces.step - 1) / pieces.step))
        #expect(summary?.failures.isEmpty == true && summary?.failovers.isEmpty == true)
        #expect(run.measures.count { !$0.isComplete } == 0)
    }

    @Test("An origin that names another validator each time serves a whole image", arguments: [false, true])
    func everyAnswerHasAnotherValidator(chunks: Bool) async throws {
        let pieces = Pieces(step: 256 << 10, size: 2 << 20)
        let (run, summary, _) = try await relay(pieces, chunks: chunks) { request in
            .close(after: pieces.step).tagged("\"v\(request.index)\"")
        }
        #expect(summary?.outcome == .finished)
        #expect(run.isExact)
        #expect(summary?.verifiedAlone == nil, "no single object was read in full")
    }
}
