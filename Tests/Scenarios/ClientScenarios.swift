import FaultyOrigin
import Foundation
import Glibc
import Testing

/// Clients that read slowly or not at all, disconnect, or come in large numbers.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ClientScenarios {
    /// On a busy machine no location here may count as stalled or slow.
    static let longTimeouts = "relay: { slow_factor: 0, connect_timeout: 20s, stall_timeout: 30s, give_up_after: 2m }"

    @Test("A client that stops reading costs no memory")
    func aClientThatStopsReadingCostsNoMemory() async throws {
        let content = PatternedContent(size: 2 << 30, seed: 11)
        let origin = try FaultyOrigin(content)
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin], settings: Self.longTimeouts)
        let image = try await baton.addImage(of: content, at: [origin.url()])
        let port = baton.port
        // The first bytes of one download allocate what a process allocates once: pools, caches, threads.
        let warm = try await onOwnThread { try Self.begin(image, port, upTo: 32 << 20, content) }
        let before = try baton.residentMemory()
        let client = try await onOwnThread { try Self.begin(image, port, upTo: 1 << 20, content) }
        var sent = origin.record.bodyBytesSent
        var peak: Int64 = 0
        var quietSeconds = 0
        for _ in 0..<30 {
            try await pause(seconds: 1)
            peak = max(peak, try baton.residentMemory())
            quietSeconds = origin.record.bodyBytesSent == sent ? quietSeconds + 1 : 0
            sent = origin.record.bodyBytesSent
        }
        #expect(quietSeconds >= 20, "backpressure reaches the origin")
        #expect(sent < 256 << 20)
        // A sanitizer keeps some freed memory; the whole image would be 2 GiB.
        #expect(peak - before < 32 << 20, "grew by \(peak - before) bytes")
        withExtendedLifetime((warm, client)) {}
    }

    /// Starts a download and reads its beginning.
    private static func begin(_ image: String, _ port: Int, upTo count: Int64, _ content: PatternedContent) throws -> Held {
        let client = try TestClient(port: port, receiveBuffer: 65_536)
        try client.send("GET", "/v2/images/\(image)/file")
        var response = client.receiveHead()
        guard response.status == 200 else {
            client.receiveBody(&response)
            throw Unexpected(response: response)
        }
        client.receiveBody(&response, upTo: count, expected: (content, 0))
        #expect(response.firstWrongByte == nil)
        return Held(client: client, response: response)
    }

    /// A client that moves between threads.
    ///
    /// `@unchecked Sendable`: only one thread at a time uses it.
    private final class Held: @unchecked Sendable {
        let client: TestClient
        var response: TestClient.Response

        init(client: TestClient, response: TestClient.Response) {
            self.client = client
            self.response = response
        }
    }

    @Test("A paused connection that its origin ends is resumed there and not counted as a failure")
    func aPausedConnectionThatItsOriginEndsIsResumed() async throws {
        let content = PatternedContent(size: 96 << 20, seed: 12)
        let origin = try FaultyOrigin(content) { request in
            request.isProbe ? .sound : request.index == 1 ? .endedWhenUnread : .sound
        }
        let other = try FaultyOrigin(content)
        defer { for origin in [origin, other] { origin.stop() } }
        let baton = try await BatonProcess(origins: ["minding": origin, "other": other], settings: Self.longTimeouts)
        let image = try await baton.addImage(of: content, at: [origin.url(), other.url()])
        let port = baton.port
        let held = try await onOwnThread { try Self.begin(image, port, upTo: 1 << 20, content) }
        await origin.waitUntil { $0.unreadEnds == 1 }
        let response = try await onOwnThread {
            held.client.receiveBody(&held.response, expected: (content, 0))
            return held.response
        }
        #expect(response.isComplete)
        #expect(response.firstWrongByte == nil)
        let relay = await baton.relay(of: image)
        #expect(relay.fields["served"] == ["minding 0-\(content.size - 1)"])
        #expect(relay.fields["failures"] == nil)
        #expect(other.record.downloads.isEmpty)
    }

    @Test("A client that disconnects ends the transfer at once")
    func aClientThatDisconnectsEndsTheTransferAtOnce() async throws {
        let content = PatternedContent(size: 2 << 30, seed: 13)
        // The full read that follows a broken download gets nothing, so that only the download's bytes are counted.
        let origin = try FaultyOrigin(content) { request in
            request.isProbe ? .sound : request.index == 1 ? .sound.paced(20 << 20) : .status(503)
        }
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin], settings: Self.longTimeouts)
        let image = try await baton.addImage(of: content, at: [origin.url()])
        let port = baton.port
        try await onOwnThread { _ = try Self.begin(image, port, upTo: 1 << 20, content) }
        #expect(await baton.relay(of: image)["outcome"] == "client-gone")
        await origin.waitUntil { $0.openConnections == 0 }
        #expect(origin.record.bodyBytesSent < 256 << 20)
    }

    @Test("A client that disconnects while the origin is silent ends the transfer too")
    func aClientThatDisconnectsDuringSilenceEndsTheTransfer() async throws {
        let content = PatternedContent(size: 64 << 20, seed: 14)
        let origin = try FaultyOrigin(content) { $0.isProbe ? .sound : .stall(after: 8 << 20) }
        defer { origin.stop() }
        let baton = try await BatonProcess(
            origins: ["origin": origin], settings: "relay: { slow_factor: 0, stall_timeout: 60s, give_up_after: 2m }")
        let image = try await baton.addImage(of: content, at: [origin.url()])
        let port = baton.port
        try await onOwnThread { _ = try Self.begin(image, port, upTo: 1 << 20, content) }
        #expect(await baton.relay(of: image)["outcome"] == "client-gone")
        await origin.waitUntil { $0.openConnections == 0 }
    }

    @Test("A client that reads nothing for client_stall_timeout is cut")
    func aClientThatReadsNothingForTooLongIsCut() async throws {
        let content = PatternedContent(size: 256 << 20, seed: 15)
        let origin = try FaultyOrigin(content)
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin], settings: "relay: { client_stall_timeout: 500ms }")
        let image = try await baton.addImage(of: content, at: [origin.url()])
        let port = baton.port
        let held = try await onOwnThread { try Self.begin(image, port, upTo: 1 << 20, content) }
        #expect(await baton.relay(of: image)["outcome"] == "client-stalled")
        let response = try await onOwnThread {
            held.client.receiveBody(&held.response, expected: (content, 0))
            return held.response
        }
        #expect(!response.isComplete)
        #expect(response.firstWrongByte == nil)
    }

    @Test("Two hundred clients get the exact image when their origin dies")
    func twoHundredClientsSurviveTheDeathOfTheirOrigin() async throws {
        let content = PatternedContent(size: 16 << 20, seed: 16)
        let clients = 200
        // It waits, each time at another byte, until all clients are in mid-stream; then it dies.
        let dying = try FaultyOrigin(content) { $0.isProbe ? .sound : .stall(after: Self.reach(of: $0)) }
        let sound = try FaultyOrigin(content)
        defer { sound.stop() }
        let baton = try await BatonProcess(
            origins: ["dying": dying, "sound": sound],
            settings: "relay: { slow_factor: 0, connect_timeout: 60s, stall_timeout: 2m, give_up_after: 3m }")
        let image = try await baton.addImage(of: content, at: [dying.url(), sound.url()])
        let responses = try await withThrowingTaskGroup(of: TestClient.Response.self) { group in
            for _ in 0..<clients { group.addTask { try await baton.download(image, of: content) } }
            await dying.waitUntil { record in
                // (A probe ends at its head: its one byte may be sent or not.)
                record.downloads.count == clients
                    && record.bodyBytesSent >= record.downloads.reduce(0) { $0 + Self.reach(of: $1) }
            }
            dying.stop()
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(responses.count == clients)
        #expect(responses.allSatisfy { $0.status == 200 && $0.isComplete && $0.firstWrongByte == nil })
        await baton.waitForLog { log in log.count { $0.event == "download.finished" } == clients }
        // Two locations in one response: a failover in mid-stream.
        let midStream = baton.log.filter { $0.event == "download.finished" && $0.fields["served"]?.count == 2 }
        #expect(midStream.count >= 150, "\(midStream.count) mid-stream failovers")
    }

    /// How many bytes the dying origin sends to a request.
    private static func reach(of request: OriginRequest) -> Int64 { Int64(1_000_003 * (1 + request.index % 10)) }

    @Test("On SIGTERM, running downloads finish and new ones are refused")
    func onSIGTERMRunningDownloadsFinishAndNewOnesAreRefused() async throws {
        let content = PatternedContent(size: 32 << 20, seed: 17)
        let origin = try FaultyOrigin(content) { $0.isProbe ? .sound : .sound.paced(24 << 20) }
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin], settings: Self.longTimeouts)
        let image = try await baton.addImage(of: content, at: [origin.url()])
        let port = baton.port
        let held = try await onOwnThread { try Self.begin(image, port, upTo: 1 << 20, content) }
        baton.terminate()
        try await untilRefused(port)
        let response = try await onOwnThread {
            held.client.receiveBody(&held.response, expected: (content, 0))
            return held.response
        }
        #expect(response.isComplete)
        #expect(response.firstWrongByte == nil)
        #expect(try await baton.exited() == 0)
    }

    /// Waits until the port refuses connections.
    private func untilRefused(_ port: Int) async throws {
        try await eventually("port \(port) to refuse connections") { (try? TestClient(port: port)) == nil }
    }

    /// Lets time pass where that is what is tested.
    private func pause(seconds: Int32) async throws {
        try await onOwnThread { _ = poll(nil, 0, seconds * 1000) }
    }
}
