import BackendKit
import CurlTransfer
import FaultyOrigin
import Synchronization
import Testing
import TokenBackend
import Waiting

@testable import RelayEngine

/// Relays over a web server whose tokens end.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct RenewalTests {
    static let content = PatternedContent(size: 5_000_011, seed: 81)

    @Test("A token that ends before a resume is renewed once, and the same location finishes")
    func aTokenThatEndsBeforeAResumeIsRenewedOnce() async throws {
        let loop = TransferLoop()
        defer { loop.stop() }
        let door = TokenDoor()
        let origin = try FaultyOrigin(Self.content, behind: door) { request in
            guard request.range?.first == 0 else { return .sound }
            door.expire()
            door.hold()
            return .reset(after: 2_000_000)
        }
        defer { origin.stop() }
        let connections = ConnectionLimit(limit: 1, timeout: .seconds(60))
        let run = RelayRun(of: Self.content)
        let relay = run.start([TokenDriver(door, url: origin.url())], connections: connections, on: loop)
        await origin.waitUntil { $0.requests.count == 2 }
        try await eventually("a wait for the token") { door.waiting >= 1 }
        #expect(connections.counts == (1, 0), "its permit was given back")
        door.hold(false)
        let summary = await run.ended()
        #expect(summary?.outcome == .finished && run.isExact)
        #expect(summary?.failures.map(\.failure.reason) == [.reset], "the refused token counts as no failure")
        #expect(door.fetches == 2 && connections.counts == (0, 0))
        #expect(origin.record.requests.map { $0["x-auth-token"] } == ["token 1", "token 1", "token 2"])
        #expect(origin.record.requests[2].range?.first == origin.record.requests[1].range?.first)
        withExtendedLifetime(relay) {}
    }

    @Test("A token that ends between two ranges does not move the relay")
    func aTokenThatEndsBetweenRangesDoesNotMoveTheRelay() async throws {
        let loop = TransferLoop()
        defer { loop.stop() }
        let door = TokenDoor()
        let origin = try FaultyOrigin(Self.content, behind: door) { request in
            if request.range?.first == 1_000_000 || request.range?.first == 3_000_000 { door.expire() }
            return .sound
        }
        let other = try FaultyOrigin(Self.content, behind: door)
        defer { for origin in [origin, other] { origin.stop() } }
        let run = RelayRun(of: Self.content)
        let drivers = [origin, other].map { TokenDriver(door, url: $0.url(), maximumRange: 1_000_000) }
        let relay = run.start(drivers, connections: ConnectionLimit(limit: 1, timeout: .seconds(60)), on: loop)
        let summary = await run.ended()
        #expect(summary?.outcome == .finished && run.isExact)
        #expect(summary?.failures.isEmpty == true && summary?.failovers.isEmpty == true)
        #expect(other.record.requests.isEmpty)
        #expect(door.fetches == 3)
        withExtendedLifetime(relay) {}
    }

    @Test("If no token can be fetched, the next location continues")
    func ifNoTokenCanBeFetchedTheNextLocationContinues() async throws {
        let loop = TransferLoop()
        defer { loop.stop() }
        let (door, otherDoor) = (TokenDoor(), TokenDoor())
        let refused = AttemptFailure(.denied, .credentials, detail: "the user is not known")
        let origin = try FaultyOrigin(Self.content, behind: door) { request in
            if request.range?.first == 1_000_000 {
                door.expire()
                door.refuse(with: refused)
            }
            return .sound
        }
        let other = try FaultyOrigin(Self.content, behind: otherDoor)
        defer { for origin in [origin, other] { origin.stop() } }
        let run = RelayRun(of: Self.content)
        let relay = run.start(
            [
                TokenDriver(door, url: origin.url(), maximumRange: 1_000_000), TokenDriver(otherDoor, url: other.url()),
            ], on: loop)
        let summary = await run.ended()
        #expect(summary?.outcome == .finished && run.isExact)
        #expect(summary?.failures.map(\.failure) == [refused])
        #expect(other.record.requests.map(\.range?.first) == [2_000_000])
        #expect(door.fetches == 2 && otherDoor.fetches == 1)
        withExtendedLifetime(relay) {}
    }
}
