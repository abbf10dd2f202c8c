import FaultyOrigin
import Foundation
import Testing

/// The effect of a status change on running downloads.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct WithdrawalScenarios {
    static let content = PatternedContent(size: 24_000_013, seed: 53)

    /// Runs a download from the first origin, which stalls in the middle unless told otherwise, and an operation on that location.
    private func interrupted(
        others: Int, by operation: String, first behaviour: Behaviour = .stall(after: 8 << 20)
    ) async throws -> (response: TestClient.Response, relay: BatonProcess.LogRecord, first: FaultyOrigin) {
        let first = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : behaviour }
        let rest = try (0..<others).map { _ in try FaultyOrigin(Self.content) }
        defer { for origin in [first] + rest { origin.stop() } }
        var origins = ["a": first]
        for (index, origin) in rest.enumerated() { origins["b\(index)"] = origin }
        let baton = try await BatonProcess(
            origins: origins, settings: "relay: { slow_factor: 0, stall_timeout: 60s, give_up_after: 2m }")
        let image = try await baton.addImage()
        let ids = try await baton.addLocations(([first] + rest).map { $0.url() }, to: image, of: Self.content)
        async let download = baton.download(image, of: Self.content)
        await first.waitUntil { $0.bodyBytesSent > 4 << 20 }
        let changed = try await baton.operate(operation, on: ids[0])
        #expect(changed.status == 200, "\(changed.text)")
        return (try await download, await baton.relay(of: image), first)
    }

    @Test(
        "A relay leaves a withdrawn location at the next byte when another can continue",
        arguments: ["disable", "delete", "quarantine"])
    func aRelayLeavesAWithdrawnLocationAtTheNextByte(operation: String) async throws {
        let (response, relay, first) = try await interrupted(others: 1, by: operation)
        #expect(response.isComplete && response.firstWrongByte == nil)
        #expect(relay.fields["served"]?.count == 2)
        #expect(relay.fields["moves"]?.first?.contains("withdrawn") == true)
        #expect(first.record.bodyBytesSent < Self.content.size)
    }

    @Test("A disabled location without a replacement finishes its download")
    func aDisabledLocationWithoutAReplacementFinishes() async throws {
        let (response, relay, _) = try await interrupted(
            others: 0, by: "disable", first: .sound.paced(6 << 20))
        #expect(response.isComplete && response.firstWrongByte == nil)
        #expect(relay.fields["served"] == ["a 0-\(Self.content.size - 1)"])
    }

    @Test("A quarantined location without a replacement is cut at once")
    func aQuarantinedLocationWithoutAReplacementIsCut() async throws {
        let (response, relay, _) = try await interrupted(others: 0, by: "quarantine")
        #expect(!response.isComplete && response.firstWrongByte == nil)
        #expect(relay["outcome"] == "exhausted")
    }
}
