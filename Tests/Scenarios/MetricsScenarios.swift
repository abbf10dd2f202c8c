import FaultyOrigin
import Foundation
import Testing

/// The metrics that Prometheus reads at `/metrics`.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct MetricsScenarios {
    private static let content = PatternedContent(size: 3_000_017, seed: 78)

    private func numbers(_ baton: BatonProcess) async throws -> [String: Double] {
        let response = try await baton.send("GET", "/metrics")
        #expect(response.status == 200)
        #expect(response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        return BatonProcess.metrics(in: response)
    }

    @Test("A failover is counted with its reason, its gap and its bytes")
    func aFailoverIsCountedWithItsReasonGapAndBytes() async throws {
        let dying = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .reset(after: 1_000_000) }
        let sound = try FaultyOrigin(Self.content)
        defer {
            dying.stop()
            sound.stop()
        }
        let baton = try await BatonProcess(origins: ["dying": dying, "sound": sound])
        let image = try await baton.addImage(of: Self.content, at: [dying.url(), sound.url()])
        #expect(try await baton.download(image, of: Self.content).isComplete)
        _ = await baton.relay(of: image)  // it is counted before it is logged, and after its client has all bytes
        let numbers = try await numbers(baton)
        #expect(numbers[#"baton_relays_total{outcome="finished"}"#] == 1)
        #expect(numbers[#"baton_attempt_failures_total{backend="dying",reason="reset"}"#] == 1)
        #expect(numbers[#"baton_failovers_total{backend="dying",reason="reset",mid_stream="true"}"#] == 1)
        #expect(numbers[#"baton_failover_gap_seconds_count{reason="reset"}"#] == 1)
        let fromDying = try #require(numbers[#"baton_relay_bytes_total{backend="dying"}"#])
        let fromSound = try #require(numbers[#"baton_relay_bytes_total{backend="sound"}"#])
        #expect(fromDying > 0 && fromDying + fromSound == Double(Self.content.size))
        #expect(numbers[#"baton_relay_verifications_total{result="matched"}"#] == 1)
        #expect(numbers[#"baton_locations{status="active"}"#] == 2)
        #expect(numbers[#"baton_backend_breaker_state{backend="sound",state="closed"}"#] == 1)
        #expect(numbers["baton_relays_open"] == 0)
        #expect(try #require(numbers["process_resident_memory_bytes"]) > 1_000_000)
    }

    @Test("A running download counts as an open relay and holds memory")
    func aRunningDownloadIsOpenAndHoldsMemory() async throws {
        let stalling = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .stall(after: 2_500_000) }
        defer { stalling.stop() }
        let baton = try await BatonProcess(
            origins: ["stalling": stalling], settings: "relay: { stall_timeout: 60s, slow_factor: 0, revisits: 0 }")
        let image = try await baton.addImage(of: Self.content, at: [stalling.url()])
        let download = Task { try await baton.download(image, of: Self.content) }
        try await eventually("bytes in slabs") { try await self.numbers(baton)["baton_slab_bytes"] ?? 0 > 0 }
        let numbers = try await numbers(baton)
        #expect(numbers["baton_relays_open"] == 1)
        #expect(numbers[#"baton_backend_attempts_running{backend="stalling"}"#] == 1)
        download.cancel()
        stalling.stop()
        _ = try? await download.value
    }

    /// `docs/metrics.md` has a row for each metric and no other rows.
    @Test("Every metric is documented")
    func everyMetricIsDocumented() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin])
        let page = String(decoding: try await baton.send("GET", "/metrics").body, as: UTF8.self)
        let there = page.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ")[2] }
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
        let document = try String(contentsOf: root.appending(path: "docs/metrics.md"), encoding: .utf8)
        let rows = document.split(separator: "\n").filter { $0.hasPrefix("| `") }
        let documented = rows.flatMap { $0.split(separator: "|")[0].matches(of: /[a-z_]{8,}/).map(\.output) }
        #expect(Set(there).symmetricDifference(documented).isEmpty)
        #expect(there.count == documented.count && there.count > 20)
    }

    /// Prometheus' own check of names, units, types and help.
    @Test("promtool accepts the metrics")
    func promtoolAcceptsTheMetrics() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin])
        let image = try await baton.addImage(of: Self.content, at: [origin.url()])
        #expect(try await baton.download(image, of: Self.content).isComplete)
        let page = try await baton.send("GET", "/metrics").body
        let file = try baton.directory.write(String(decoding: page, as: UTF8.self), to: "metrics")
        let check = try await BatonCommand.run(["-c", "promtool check metrics <\"$0\" 2>&1", file], program: "/bin/sh")
        #expect(check.output == "" && check.status == 0)
    }
}
