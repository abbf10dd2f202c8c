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
        #expect(summary?.failures.isEmpty == true && summary?.moves.isEmpty == true)
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

    @Test("A hundred relays at once fetch one token")
    func aHundredRelaysAtOnceFetchOneToken() async throws {
        let loops = (0..<2).map { _ in TransferLoop() }
        defer { for loop in loops { loop.stop() } }
        let door = TokenDoor()
        door.hold()
        let small = PatternedContent(size: 50_021, seed: 82)
        let origin = try FaultyOrigin(small, behind: door)
        defer { origin.stop() }
        let runs = (0..<100).map { _ in RelayRun(of: small) }
        let relays = runs.enumerated().map { $1.start([TokenDriver(door, url: origin.url())], on: loops[$0 % 2]) }
        try await eventually("all relays to wait for the token") { door.waiting >= 100 }
        #expect(origin.record.requests.isEmpty, "a request without a token")
        door.hold(false)
        for run in runs {
            #expect(await run.ended()?.outcome == .finished)
            #expect(run.isExact)
        }
        #expect(door.fetches == 1)
        withExtendedLifetime(relays) {}
    }

    @Test("A relay that is left while it waits for a token ends and ignores the late token")
    func aRelayLeftDuringARenewalIgnoresTheLateToken() async throws {
        let loop = TransferLoop()
        defer { loop.stop() }
        let door = TokenDoor()
        door.hold()
        let origin = try FaultyOrigin(Self.content, behind: door)
        defer { origin.stop() }
        let connections = ConnectionLimit(limit: 1, timeout: .seconds(60))
        let run = RelayRun(of: Self.content)
        let relay = run.start([TokenDriver(door, url: origin.url())], connections: connections, on: loop)
        try await eventually("a wait for the token") { door.waiting >= 1 }
        #expect(connections.counts == (1, 0))
        relay.clientGone()
        #expect(await run.ended()?.outcome == .clientGone)
        #expect(connections.counts == (0, 0))
        door.hold(false)
        // The late answer comes by the loop's mailbox, before the next relay's.
        try await eventually("the token to be handed out") { door.waiting == 0 }
        let next = RelayRun(of: Self.content)
        let second = next.start([TokenDriver(door, url: origin.url())], connections: connections, on: loop)
        #expect(await next.ended()?.outcome == .finished)
        #expect(run.callsAfterTheEnd == 0)
        #expect(origin.record.requests.count == 1)
        withExtendedLifetime(second) {}
    }

    @Test("A log-in that does not answer is a stall")
    func aLoginThatDoesNotAnswerIsAStall() async throws {
        let loop = TransferLoop()
        defer { loop.stop() }
        let (door, otherDoor) = (TokenDoor(), TokenDoor())
        door.hold()
        defer { door.hold(false) }
        let other = try FaultyOrigin(Self.content, behind: otherDoor)
        defer { other.stop() }
        var policy = RelayPolicy()
        policy.stallTimeout = .milliseconds(50)
        let run = RelayRun(of: Self.content)
        let drivers = [TokenDriver(door, url: other.url()), TokenDriver(otherDoor, url: other.url())]
        let relay = run.start(drivers, policy: policy, on: loop)
        let summary = await run.ended()
        #expect(summary?.outcome == .finished && run.isExact)
        #expect(summary?.failures.first?.failure.reason == .stall)
        withExtendedLifetime(relay) {}
    }
}
