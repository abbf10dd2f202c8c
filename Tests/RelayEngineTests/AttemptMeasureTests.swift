import CurlTransfer
import FaultyOrigin
import LocationSelection
import Testing
import TokenBackend

@testable import RelayEngine

/// What an attempt measures of its backend.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct AttemptMeasureTests {
    private static let content = PatternedContent(size: 3_000_017, seed: 86)

    private func measures(_ behaviour: Behaviour) async throws -> [AttemptMeasure] {
        let loop = TransferLoop()
        defer { loop.stop() }
        let (door, otherDoor) = (TokenDoor(), TokenDoor())
        let origin = try FaultyOrigin(Self.content, behind: door) { _ in behaviour }
        let other = try FaultyOrigin(Self.content, behind: otherDoor)
        defer { for origin in [origin, other] { origin.stop() } }
        let run = RelayRun(of: Self.content)
        let relay = run.start(
            [TokenDriver(door, url: origin.url()), TokenDriver(otherDoor, url: other.url())], on: loop)
        #expect(await run.ended()?.outcome == .finished)
        withExtendedLifetime(relay) {}
        return run.measures
    }

    @Test(
        "An attempt that delivers every requested byte is complete, however its answer ends",
        arguments: [Behaviour.sound, .longBody(extra: 1000), .ignoringRange])
    func anAttemptThatDeliversEverythingIsComplete(behaviour: Behaviour) async throws {
        let measures = try await measures(behaviour)
        #expect(measures.map(\.isComplete) == [true])
        #expect(measures.allSatisfy { $0.firstByte != nil && $0.bytes >= Self.content.size })
    }

    @Test(
        "An attempt that delivers less is not complete",
        arguments: [Behaviour.close(after: 1_000_000), .reset(after: 1_000_000), .status(503)])
    func anAttemptThatDeliversLessIsNotComplete(behaviour: Behaviour) async throws {
        #expect(try await measures(behaviour).map(\.isComplete) == [false, true])
    }

    @Test("The active time of an answer that arrives whole is the time before it")
    func theActiveTimeOfAWholeAnswerIsTheTimeBeforeIt() {
        let start = ContinuousClock.now
        for (isBounded, active) in [(true, Duration.seconds(2)), (false, .zero)] {
            var meter = AttemptMeter(isBounded: isBounded, at: start)
            meter.began(at: start + .seconds(1))
            meter.took(1000, at: start + .seconds(3))
            #expect(meter.measure(isComplete: true, at: start + .seconds(3)).active == active)
        }
    }
}
