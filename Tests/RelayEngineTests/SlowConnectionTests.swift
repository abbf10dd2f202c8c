import BackendKit
import CurlTransfer
import FaultyOrigin
import LocationSelection
import Testing
import TokenBackend

@testable import RelayEngine

/// Slow locations over real connections.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct SlowConnectionTests {
    private static let content = PatternedContent(size: 6_000_017, seed: 88)

    /// A short window, so that the relay decides early.
    private static let policy: RelayPolicy = {
        var policy = RelayRun.patient
        policy.slow.window = .milliseconds(100)
        return policy
    }()

    /// A relay from the first origin, at `pace` bytes per second, with the second one as the alternative.
    private func relay(
        at pace: Int64, _ second: Behaviour, expecting estimate: ThroughputEstimate, policy: RelayPolicy = policy
    ) async throws -> (RelayRun, RelaySummary?) {
        let loop = TransferLoop()
        defer { loop.stop() }
        let (door, otherDoor) = (TokenDoor(), TokenDoor())
        let origin = try FaultyOrigin(Self.content, behind: door) { _ in .sound.paced(pace) }
        let other = try FaultyOrigin(Self.content, behind: otherDoor) { _ in second }
        defer { for origin in [origin, other] { origin.stop() } }
        let run = RelayRun(of: Self.content, estimates: [.unknown, estimate])
        let relay = run.start(
            [TokenDriver(door, url: origin.url()), TokenDriver(otherDoor, url: other.url())], policy: policy, on: loop)
        let summary = await run.ended()
        withExtendedLifetime(relay) {}
        return (run, summary)
    }

    @Test("A slow location is left at a boundary, and the image is exact")
    func aSlowLocationIsLeftAtABoundaryAndTheImageIsExact() async throws {
        let (run, summary) = try await relay(at: 2_000_000, .sound, expecting: .rate(1e12))
        let ended = try #require(summary)
        #expect(ended.outcome == .finished && run.isExact)
        #expect(ended.failovers.map(\.cause.reason) == [.slow])
        let offset = try #require(ended.failovers.first).offset
        #expect(offset > 0 && offset % (1 << 20) == 0)
        #expect(ended.failures.isEmpty)
        #expect(run.measures.map(\.isComplete) == [true, true], "both delivered every requested byte")
        #expect(run.callsAfterTheEnd == 0)
    }

    @Test("A relay stays where it is if all locations are slow")
    func aRelayStaysWhereItIsIfAllLocationsAreSlow() async throws {
        let (run, summary) = try await relay(at: 6_000_000, .sound.paced(6_000_000), expecting: .rate(7e6))
        #expect(summary?.outcome == .finished && run.isExact)
        #expect(summary?.failovers.isEmpty == true)
        #expect(run.paces > 0, "it was judged")
    }

    @Test("A location that trickles is left for an unmeasured one")
    func aLocationThatTricklesIsLeftForAnUnmeasuredOne() async throws {
        var policy = Self.policy
        policy.slow.floor = 1 << 20
        let (run, summary) = try await relay(at: 300_000, .sound, expecting: .unknown, policy: policy)
        #expect(summary?.outcome == .finished && run.isExact)
        #expect(summary?.failovers.map(\.cause.reason) == [.slow])
        #expect(summary?.failures.isEmpty == true)
    }

    @Test("A slow location continues if the faster one does not have the object")
    func aSlowLocationContinuesIfTheFasterOneHasNoObject() async throws {
        let (run, summary) = try await relay(at: 4_000_000, .status(404), expecting: .rate(1e12))
        #expect(summary?.outcome == .finished && run.isExact)
        #expect(summary?.failures.map(\.failure.reason) == [.missing])
        #expect(summary?.failovers.isEmpty == true)
    }
}
