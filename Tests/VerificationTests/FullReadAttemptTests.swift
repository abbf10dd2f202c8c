import BackendKit
import CurlTransfer
import FaultyOrigin
import ImageCatalog
import ImageModel
import LocationLifecycle
import Testing
import TokenBackend
import Waiting

@testable import Verification

/// What full reads and probes make of their attempts; how an attempt behaves is OriginAttemptTests' subject.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct FullReadAttemptTests {
    static let content = PatternedContent(size: 3_000_017, seed: 83)

    private func read(
        _ driver: any Driver, of content: PatternedContent = content,
        connections: ConnectionLimit = ConnectionLimit(limit: 1, timeout: .seconds(60)), on loop: TransferLoop,
        stallTimeout: Duration = .seconds(30), queueTimeout: Duration = .seconds(60)
    ) -> LocationRead {
        LocationRead(
            .init(
                driver: driver, connections: connections, queueKey: .maintenance(of: "image"),
                path: "image", expectedSize: content.size, algorithms: [.md5], isFresh: false, progress: nil,
                pace: ReadRateLimiter(bytesPerSecond: nil), stallTimeout: stallTimeout, queueTimeout: queueTimeout),
            loop: loop)
    }

    private func probe(
        _ door: TokenDoor, at origin: FaultyOrigin, connections: ConnectionLimit? = nil, on loop: TransferLoop,
        timeout: Duration = .seconds(30)
    ) throws -> ObjectProbe {
        let backend = Backend(
            id: BackendID("b"), base: try LocationURL(origin.url("")), driver: TokenDriver(door, url: origin.url()),
            connections: connections)
        return ObjectProbe(registry: BackendRegistry([backend]), loop: loop, timeout: timeout)
    }

    @Test("A full read continues with a new token when its token ends")
    func aFullReadContinuesWithANewToken() async throws {
        let loop = TransferLoop()
        defer { loop.stop() }
        let door = TokenDoor()
        let origin = try FaultyOrigin(Self.content, behind: door) { request in
            if request.range?.first == 1_000_000 { door.expire() }
            return .sound
        }
        defer { origin.stop() }
        let outcome = await read(TokenDriver(door, url: origin.url(), maximumRange: 500_000), on: loop).run()
        guard case .read(let content, _, _) = outcome else { return #expect(Bool(false), "\(outcome)") }
        #expect(content.size == Self.content.size)
        #expect(door.fetches == 2)
        // Six ranges and a remainder, one of them requested twice.
        #expect(origin.record.requests.count == 8)
    }

    @Test("A full read yields its permit to a download and continues at the same byte")
    func aFullReadYieldsAndContinuesAtTheSameByte() async throws {
        let loop = TransferLoop()
        defer { loop.stop() }
        let door = TokenDoor()
        // More than all buffers on the way hold: once so much was sent, the read has some of it.
        let content = PatternedContent(size: 24 << 20, seed: 85)
        let origin = try FaultyOrigin(content, behind: door) { $0.range?.first == 0 ? .stall(after: 16 << 20) : .sound }
        defer { origin.stop() }
        let connections = ConnectionLimit(limit: 1, timeout: .seconds(60))
        let read = read(TokenDriver(door, url: origin.url()), of: content, connections: connections, on: loop)
        async let reading = read.run()
        await origin.waitUntil { $0.bodyBytesSent >= 16 << 20 }
        // The read is silent, and would be for half a minute.
        let place = try await connections.acquire(for: .download(by: "somebody", of: "image"))
        try await eventually("a wait for the connection") { connections.counts.waiting >= 1 }
        #expect(origin.record.requests.count == 1)
        place.leave()
        guard case .read(let found, _, _) = await reading else { return #expect(Bool(false), "the read failed") }
        #expect(found.size == content.size)
        #expect(try #require(origin.record.requests.last?.range?.first) > 0)
        #expect(connections.counts == (0, 0))
    }

    @Test("A full read that is cancelled while it waits leaves the queue")
    func aFullReadCancelledWhileItWaitsLeavesTheQueue() async throws {
        let loop = TransferLoop()
        defer { loop.stop() }
        let door = TokenDoor()
        let origin = try FaultyOrigin(Self.content, behind: door)
        defer { origin.stop() }
        let connections = ConnectionLimit(limit: 1, timeout: .seconds(60))
        let place = try await connections.acquire(for: .probe)
        let read = read(TokenDriver(door, url: origin.url()), connections: connections, on: loop)
        let reading = Task { await read.run() }
        try await eventually("a wait for the connection") { connections.counts.waiting >= 1 }
        reading.cancel()
        guard case .cancelled = await reading.value else { return #expect(Bool(false), "the read went on") }
        #expect(connections.counts == (1, 0))
        place.leave()
        #expect(origin.record.requests.isEmpty)
    }

    @Test("A full read that gets no permit in time fails as busy")
    func aFullReadThatGetsNoPermitFailsAsBusy() async throws {
        let loop = TransferLoop()
        defer { loop.stop() }
        let door = TokenDoor()
        let origin = try FaultyOrigin(Self.content, behind: door)
        defer { origin.stop() }
        let connections = ConnectionLimit(limit: 1, timeout: .seconds(60))
        let place = try await connections.acquire(for: .probe)
        let driver = TokenDriver(door, url: origin.url())
        let outcome = await read(driver, connections: connections, on: loop, queueTimeout: .milliseconds(50)).run()
        guard case .failed(let failure) = outcome else { return #expect(Bool(false), "\(outcome)") }
        #expect(failure.reason == .busy)
        #expect(connections.counts == (1, 0) && origin.record.requests.isEmpty)
        place.leave()
    }

    @Test("A probe renews a token that ended unnoticed")
    func aProbeRenewsATokenThatEndedUnnoticed() async throws {
        let loop = TransferLoop()
        defer { loop.stop() }
        let door = TokenDoor()
        let origin = try FaultyOrigin(Self.content, behind: door)
        defer { origin.stop() }
        let probe = try probe(door, at: origin, on: loop)
        for fetches in 1...3 {
            #expect(try await probe.head(of: "image", in: BackendID("b")).get().total == Self.content.size)
            #expect(door.fetches == fetches)
            door.expire()
        }
    }

    @Test("A probe ends in time")
    func aProbeEndsInTime() async throws {
        let loop = TransferLoop()
        defer { loop.stop() }
        let door = TokenDoor()
        let origin = try FaultyOrigin(Self.content, behind: door)
        defer { origin.stop() }
        let connections = ConnectionLimit(limit: 1, timeout: .seconds(600))
        let probe = try probe(door, at: origin, connections: connections, on: loop, timeout: .milliseconds(20))
        door.hold()
        guard case .failure(let late) = await probe.head(of: "image", in: BackendID("b")) else {
            return #expect(Bool(false), "an answer without a token")
        }
        door.hold(false)
        #expect(late.reason == .stall)
        let held = try await connections.acquire(for: .probe)
        guard case .failure(let busy) = await probe.head(of: "image", in: BackendID("b")) else {
            return #expect(Bool(false), "an answer without a connection")
        }
        #expect(busy.reason == .busy)
        held.leave()
        #expect(connections.counts == (0, 0))
    }
}
