import BackendKit
import CurlTransfer
import FaultyOrigin
import Testing
import TokenBackend
import TransferRecording
import Waiting

@testable import RelayEngine

/// Relays over a backend whose connections are counted.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct RelayConnectionTests {
    static let content = PatternedContent(size: 3_000_017, seed: 84)

    @Test("A client that leaves while it waits leaves the queue")
    func aClientThatLeavesWhileItWaitsLeavesTheQueue() async throws {
        let loop = TransferLoop()
        defer { loop.stop() }
        let door = TokenDoor()
        let origin = try FaultyOrigin(Self.content, behind: door)
        defer { origin.stop() }
        let connections = ConnectionLimit(limit: 1, timeout: .seconds(60))
        let held = connections.enter(.probe) {}.permit
        let run = RelayRun(of: Self.content)
        let relay = run.start([TokenDriver(door, url: origin.url())], connections: connections, on: loop)
        try await eventually("a wait for the connection") { connections.counts.waiting >= 1 }
        relay.clientGone()
        #expect(await run.ended()?.outcome == .clientGone)
        #expect(connections.counts == (1, 0))
        held.leave()
        #expect(connections.counts == (0, 0))
    }

    @Test("A client that leaves before its relay starts leaves nothing on the loop")
    func aClientThatLeavesBeforeTheStartLeavesNothing() async throws {
        let loop = TransferLoop()
        defer { loop.stop() }
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let run = RelayRun(of: Self.content)
        weak var left: Relay?
        do {
            let relay = run.relay([TokenDriver(TokenDoor(), url: origin.url())], on: loop)
            left = relay
            relay.clientGone()
            relay.start()
        }
        #expect(await run.ended()?.outcome == .clientGone)
        for _ in 0..<2 { try await loop.turn() }
        #expect(left == nil, "the relay is still on the loop")
        #expect(origin.record.requests.isEmpty)
    }

    @Test("A relay that waits for a revisit holds no permit")
    func aRelayThatWaitsForARevisitHoldsNoPermit() async throws {
        let loop = TransferLoop()
        defer { loop.stop() }
        let door = TokenDoor()
        let origin = try FaultyOrigin(Self.content, behind: door) { _ in
            .status(503, headers: [("Retry-After", "3600")])
        }
        defer { origin.stop() }
        let connections = ConnectionLimit(limit: 1, timeout: .seconds(60))
        let run = RelayRun(of: Self.content)
        let relay = run.start([TokenDriver(door, url: origin.url())], connections: connections, on: loop)
        await origin.waitUntil { $0.requests.count == 1 }
        try await eventually("the connection to be given back") { connections.counts.held == 0 }
        relay.clientGone()
        #expect(await run.ended()?.failures.map(\.failure.reason) == [.throttled])
    }
}
