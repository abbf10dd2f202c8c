import FaultyOrigin
import Foundation
import Testing

/// More clients than the process has descriptors.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ConnectionCountScenarios {
    private static let content = PatternedContent(size: 3_000_017, seed: 131)

    /// A server with these limits of open files.
    private func server(
        _ origins: [String: FaultyOrigin] = [:], soft: Int, hard: Int, settings: String = "server: { idle_timeout: 1h }"
    ) async throws -> BatonProcess {
        try await BatonProcess(
            backends: origins.mapValues { #"driver: http, url: "\#($0.url(""))""# }, settings: settings,
            wrapper: ["/bin/bash", "-c", "ulimit -S -n \(soft); ulimit -H -n \(hard); exec \"$0\" \"$@\""])
    }

    /// Connections that send nothing and stay open while the result is held.
    private func strangers(_ count: Int, _ port: Int) async throws -> Held {
        try await onOwnThread { Held(clients: try (0..<count).map { _ in try TestClient(port: port, timeout: 60) }) }
    }

    /// `@unchecked Sendable`: the clients are only kept open, not used.
    private final class Held: @unchecked Sendable {
        var clients: [TestClient]

        init(clients: [TestClient]) { self.clients = clients }
    }

    private func metric(_ name: String, _ baton: BatonProcess) async throws -> Double {
        let page = try await baton.send("GET", "/metrics")
        let line = page.text.split(separator: "\n").first { $0.hasPrefix(name + " ") || $0.hasPrefix(name + "{") }
        guard let number = line?.split(separator: " ").last.flatMap({ Double($0) }) else { throw Unexpected(response: page) }
        return number
    }

    @Test("Downloads go on beside more idle connections than there are descriptors")
    func idleConnections() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let baton = try await server(["origin": origin], soft: 128, hard: 400)
        #expect(try await metric("process_max_fds", baton) == 400)
        let image = try await baton.addImage(of: Self.content, at: [origin.url()])
        let held = try await strangers(600, baton.port)
        for _ in 0..<5 {
            let response = try await baton.download(image, of: Self.content)
            #expect(response.status == 200 && response.isComplete && response.firstWrongByte == nil)
        }
        // Half of the descriptors beyond the reserve, and a quarter of that for one address.
        #expect(try await metric("baton_connections_open", baton) <= 34)
        #expect(try await metric("baton_connections_replaced_total", baton) >= 500)
        let lines = baton.log.filter { $0.event == "connections.limit_reached" }
        #expect(lines.count == 1 && lines.first?["limit"] == "server.max_connections_per_address")
        #expect(held.clients.count == 600)
    }

    @Test("A busy connection is never closed for a new one, which is refused until one ends")
    func oneAddress() async throws {
        // More than a client reads at once: the server notices a client that closes its connection with unread bytes.
        let origin = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .stall(after: 1_900_000) }
        defer { origin.stop() }
        let baton = try await server(
            ["origin": origin], soft: 1024, hard: 1024,
            settings: "server: { max_connections_per_address: 3, idle_timeout: 1h }\nrelay: { stall_timeout: 1m }")
        let image = try await baton.addImage(of: Self.content, at: [origin.url()])
        let port = baton.port
        let (held, statuses, refusal) = try await onOwnThread {
            let clients = try (0..<3).map { _ in try TestClient(port: port, timeout: 60) }
            var statuses: [Int] = []
            for client in clients {
                try client.send("GET", "/v2/images/\(image)/file")
                var response = client.receiveHead()
                client.receiveBody(&response, upTo: 10_000)
                statuses.append(response.status)
            }
            let refused = try TestClient(port: port, timeout: 60)
            try? refused.send("GET", "/healthz")
            return (Held(clients: clients), statuses, refused.receiveHead())
        }
        #expect(statuses == [200, 200, 200])
        #expect(refusal.status == 0 && !refusal.isTimedOut)
        try await onOwnThread { _ = held.clients.removeLast() }
        // The server notices the closed connection a moment later.
        try await eventually("a free connection, and the refusal counted") {
            (try? await metric("baton_connections_refused_total", baton)).map { $0 >= 1 } ?? false
        }
    }

    @Test("Without a free descriptor the server waits, and accepts again when there is one")
    func withoutDescriptors() async throws {
        let baton = try await server(
            soft: 96, hard: 96,
            settings: "server: { max_connections: 10000, max_connections_per_address: 10000, idle_timeout: 1h }")
        let held = try await strangers(120, baton.port)
        let line = await baton.logged { $0.event == "connections.no_descriptors" }
        #expect(line.level == "error")
        // A spinning loop uses a whole processor; on a busy machine it uses less, never more.
        let used = try await onOwnThread {
            let before = try Self.processorSeconds(baton.processID)
            let start = ContinuousClock.now
            while ContinuousClock.now - start < .seconds(2) { usleep(50_000) }
            return (try Self.processorSeconds(baton.processID) - before) / ((ContinuousClock.now - start) / .seconds(1))
        }
        #expect(used < 0.3)
        try await onOwnThread { held.clients = [] }
        #expect(try await baton.send("GET", "/healthz").status == 200)
        #expect(baton.log.count { $0.event == "connections.no_descriptors" } == 1)
    }

    private static func processorSeconds(_ process: Int32) throws -> Double {
        let text = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
        let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
        let ticks = (Double(fields[12]) ?? 0) + (Double(fields[13]) ?? 0)
        return ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}
