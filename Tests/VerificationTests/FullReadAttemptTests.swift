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

    /// A backend behind a token, and the loop and the permits of those that read it.
    private final class Bench {
        let loop = TransferLoop()
        let door: TokenDoor
        let origin: FaultyOrigin
        let connections: ConnectionLimit
        private let content: PatternedContent

        init(
            _ content: PatternedContent = FullReadAttemptTests.content, permitTimeout: Duration = .seconds(60),
            behind door: TokenDoor = TokenDoor(),
            behaviour: @escaping @Sendable (OriginRequest) -> Behaviour = { _ in .sound }
        ) throws {
            self.content = content
            self.door = door
            origin = try FaultyOrigin(content, behind: door, behaviour: behaviour)
            connections = ConnectionLimit(limit: 1, timeout: permitTimeout)
        }

        deinit {
            origin.stop()
            loop.stop()
        }

        func read(maximumRange: Int64? = nil, queueTimeout: Duration = .seconds(60)) -> LocationRead {
            LocationRead(
                .init(
                    driver: TokenDriver(door, url: origin.url(), maximumRange: maximumRange), connections: connections,
                    queueKey: .maintenance(of: "image"), path: "image", expectedSize: content.size, algorithms: [.md5],
                    isFresh: false, progress: nil, pace: ReadRateLimiter(bytesPerSecond: nil), stallTimeout: .seconds(30),
                    queueTimeout: queueTimeout),
                loop: loop)
        }

        func probe(timeout: Duration = .seconds(30)) throws -> ObjectProbe {
            let backend = Backend(
                id: BackendID("b"), base: try LocationURL(origin.url("")), driver: TokenDriver(door, url: origin.url()),
                connections: connections)
            return ObjectProbe(registry: BackendRegistry([backend]), loop: loop, timeout: timeout)
        }
    }

    @Test("A full read continues with a new token when its token ends")
    func aFullReadContinuesWithANewToken() async throws {
        let door = TokenDoor()
        let bench = try Bench(behind: door) { request in
            if request.range?.first == 1_000_000 { door.expire() }
            return .sound
        }
        let outcome = await bench.read(maximumRange: 500_000).run()
        guard case .read(let content, _, _) = outcome else { return #expect(Bool(false), "\(outcome)") }
        #expect(content.size == Self.content.size)
        #expect(door.fetches == 2)
        // Six ranges and a remainder, one of them requested twice.
        #expect(bench.origin.record.requests.count == 8)
    }

    @Test("A full read yields its permit to a download and continues at the same byte")
    func aFullReadYieldsAndContinuesAtTheSameByte() async throws {
        // More than all buffers on the way hold: once so much was sent, the read has some of it.
        let content = PatternedContent(size: 24 << 20, seed: 85)
        let bench = try Bench(content) { $0.range?.first == 0 ? .stall(after: 16 << 20) : .sound }
        let (origin, connections) = (bench.origin, bench.connections)
        let read = bench.read()
        async let reading = read.run()
        await origin.waitUntil { $0.bodyBytesSent >= 16 << 20 }
        // The read is silent, and would be for half a minute.
        let permit = try await connections.acquire(for: .download(by: "somebody", of: "image"))
        try await eventually("a wait for the connection") { connections.counts.waiting >= 1 }
        #expect(origin.record.requests.count == 1)
        permit.leave()
        guard case .read(let found, _, _) = await reading else { return #expect(Bool(false), "the read failed") }
        #expect(found.size == content.size)
        #expect(try #require(origin.record.requests.last?.range?.first) > 0)
        #expect(connections.counts == (0, 0))
    }

    @Test("A full read that is cancelled while it waits leaves the queue")
    func aFullReadCancelledWhileItWaitsLeavesTheQueue() async throws {
        let bench = try Bench()
        let connections = bench.connections
        let permit = try await connections.acquire(for: .probe)
        let read = bench.read()
        let reading = Task { await read.run() }
        try await eventually("a wait for the connection") { connections.counts.waiting >= 1 }
        reading.cancel()
        guard case .cancelled = await reading.value else { return #expect(Bool(false), "the read went on") }
        #expect(connections.counts == (1, 0))
        permit.leave()
        #expect(bench.origin.record.requests.isEmpty)
    }

    @Test("A full read that gets no permit in time fails as busy")
    func aFullReadThatGetsNoPermitFailsAsBusy() async throws {
        let bench = try Bench()
        let permit = try await bench.connections.acquire(for: .probe)
        let outcome = await bench.read(queueTimeout: .milliseconds(50)).run()
        guard case .failed(let failure) = outcome else { return #expect(Bool(false), "\(outcome)") }
        #expect(failure.reason == .busy)
        #expect(bench.connections.counts == (1, 0) && bench.origin.record.requests.isEmpty)
        permit.leave()
    }

    @Test("A probe renews a token that ended unnoticed")
    func aProbeRenewsATokenThatEndedUnnoticed() async throws {
        let bench = try Bench()
        let probe = try bench.probe()
        for fetches in 1...3 {
            #expect(try await probe.head(of: "image", in: BackendID("b")).get().total == Self.content.size)
            #expect(bench.door.fetches == fetches)
            bench.door.expire()
        }
    }

    @Test("A probe ends in time")
    func aProbeEndsInTime() async throws {
        let bench = try Bench(permitTimeout: .seconds(600))
        let (door, connections) = (bench.door, bench.connections)
        let probe = try bench.probe(timeout: .milliseconds(20))
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
