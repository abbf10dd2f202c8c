import FaultyOrigin
import Foundation
import Testing
import Waiting

/// The limits of memory and downloads, in all and per caller.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct MemoryScenarios {
    static let content = PatternedContent(size: 32 << 20, seed: 97)

    private func server(_ origin: FaultyOrigin, _ relay: String) async throws -> (baton: BatonProcess, image: String) {
        let baton = try await BatonProcess(
            origins: ["origin": origin],
            settings: "relay: { \(relay) }\nauth: { trusted_proxies: [127.0.0.1] }")
        return (baton, try await baton.addImage(of: Self.content, at: [origin.url()]))
    }

    /// A client that reads the head of a response and no more.
    private func sleeper(_ image: String, _ port: Int, as address: String) async throws -> Sleeper {
        try await onOwnThread {
            let client = try TestClient(port: port, receiveBuffer: 65_536)
            try client.send("GET", "/v2/images/\(image)/file", headers: ["X-Forwarded-For": address])
            return Sleeper(client: client, response: client.receiveHead())
        }
    }

    private func download(_ image: String, _ port: Int, as address: String) async throws -> TestClient.Response {
        try await onOwnThread {
            let client = try TestClient(port: port)
            try client.send("GET", "/v2/images/\(image)/file", headers: ["X-Forwarded-For": address])
            var response = client.receiveHead()
            client.receiveBody(&response, expected: (Self.content, 0))
            return response
        }
    }

    @Test("Clients that do not read take at most relay.memory, and further downloads of their caller get 503")
    func memoryIsBounded() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let (baton, image) = try await server(origin, "memory: 64MiB, memory_timeout: 200ms, client_stall_timeout: 1h")
        var sleepers: [Sleeper] = []
        while sleepers.last?.response.status ?? 200 == 200, sleepers.count < 64 {
            sleepers.append(try await sleeper(image, baton.port, as: "192.0.2.1"))
        }
        let refused = sleepers.removeLast()
        #expect(refused.response.status == 503, "\(sleepers.count) downloads fit into 64 MiB")
        #expect(refused.response.headers["retry-after"] == "5")
        #expect(sleepers.count >= 8, "windows did not shrink: only \(sleepers.count) downloads fit")
        #expect(try await baton.metric("baton_relay_memory_reserved_bytes") <= Double(64 << 20))
        #expect(try await baton.metric("baton_relay_memory_limit_bytes") == Double(64 << 20))
        #expect(try await baton.metric("baton_downloads_turned_away_total{reason=\"memory\"}") == 1)
        let other = try await download(image, baton.port, as: "192.0.2.2")
        #expect(other.isComplete && other.firstWrongByte == nil, "one caller must not take all memory")
        // The sleeping clients keep their bytes, and their downloads continue when they read.
        let awake = sleepers.removeFirst()
        let rest = try await onOwnThread { awake.finish(Self.content) }
        #expect(rest.isComplete && rest.firstWrongByte == nil)
        sleepers = []
        try await eventually("the memory of disconnected clients to be released") {
            try await baton.metric("baton_relay_memory_reserved_bytes") == 0
        }
        let last = try await download(image, baton.port, as: "192.0.2.1")
        #expect(last.isComplete && last.firstWrongByte == nil)
    }

    @Test("A caller with relay.downloads_per_caller downloads gets 429 for the next one")
    func downloadsOfACallerAreLimited() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let (baton, image) = try await server(origin, "downloads_per_caller: 2")
        let sleepers = [
            try await sleeper(image, baton.port, as: "192.0.2.1"), try await sleeper(image, baton.port, as: "192.0.2.1"),
        ]
        #expect(sleepers.allSatisfy { $0.response.status == 200 })
        let refused = try await download(image, baton.port, as: "192.0.2.1")
        #expect(refused.status == 429 && refused.headers["retry-after"] == "5")
        #expect(refused.errorMessage.contains("relay.downloads_per_caller"))
        #expect(try await download(image, baton.port, as: "192.0.2.2").isComplete)
        #expect(try await baton.metric("baton_downloads_turned_away_total{reason=\"caller\"}") == 1)
        withExtendedLifetime(sleepers) {}
    }
}

/// A client of a test that does not read.
///
/// `@unchecked Sendable`: only one thread at a time uses it.
private final class Sleeper: @unchecked Sendable {
    private let client: TestClient
    let response: TestClient.Response

    init(client: TestClient, response: TestClient.Response) {
        self.client = client
        self.response = response
    }

    /// Reads the rest.
    func finish(_ content: PatternedContent) -> TestClient.Response {
        var response = response
        client.receiveBody(&response, expected: (content, 0))
        return response
    }
}
