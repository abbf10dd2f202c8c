import FaultyOrigin
import Foundation
import Testing

/// Locations that send bytes, but slowly.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct SlowScenarios {
    private static let content = PatternedContent(size: 4_000_037, seed: 89)
    private static let settings =
        "relay: { connect_timeout: 10s, stall_timeout: 30s, give_up_after: 60s, slow_window: 100ms, slow_dwell: 0s }"

    /// A server that has measured each origin by a download of an image that is stored only there.
    private func server(_ origins: [String: FaultyOrigin]) async throws -> BatonProcess {
        let baton = try await BatonProcess(origins: origins, settings: Self.settings)
        for origin in origins.values {
            let image = try await baton.addImage(of: Self.content, at: [origin.url()])
            #expect(try await baton.download(image, of: Self.content).isComplete)
        }
        return baton
    }

    private func backend(_ id: String, _ baton: BatonProcess) async throws -> [String: Any] {
        let all = try await baton.send("GET", "/baton/v1/backends").json["backends"] as? [[String: Any]] ?? []
        return try #require(all.first { $0["id"] as? String == id })
    }

    @Test("A download moves to a clearly faster location without counting a failure")
    func aDownloadMovesToAClearlyFasterLocation() async throws {
        let isWell = Flag()
        isWell.set()
        let slow = try FaultyOrigin(Self.content) { $0.isProbe || isWell.isSet ? .sound : .sound.paced(700_000) }
        let fast = try FaultyOrigin(Self.content)
        defer { for origin in [slow, fast] { origin.stop() } }
        let baton = try await server(["slow": slow, "fast": fast])
        let before = try #require(try await backend("slow", baton)["bytes_per_second"] as? Double)
        isWell.set(false)
        let image = try await baton.addImage(of: Self.content, at: [slow.url(), fast.url()])
        #expect(try await baton.download(image, of: Self.content).isComplete)

        let line = await baton.relay(of: image)
        let moves = try #require(line.fields["moves"])
        #expect(moves.count == 1 && moves[0].hasPrefix("slow → fast at byte ") && moves[0].hasSuffix("(slow)"), "\(moves)")
        let offset = try #require(moves[0].split(separator: " ").dropFirst(5).first.flatMap { Int64($0) })
        #expect(offset > 0 && offset % (1 << 20) == 0)
        #expect(line.fields["failures"] == nil)
        let metrics = String(decoding: try await baton.send("GET", "/metrics").body, as: UTF8.self)
        #expect(metrics.contains(#"baton_failovers_total{backend="slow",reason="slow",mid_stream="true"} 1"#))
        #expect(!metrics.contains(#"baton_attempt_failures_total{backend="slow""#))

        let seen = try await backend("slow", baton)
        #expect((seen["breaker"] as? [String: Any])?["failures"] as? Int == 0)
        #expect(try #require(seen["bytes_per_second"] as? Double) < before)
        let explained = try await baton.send("GET", "/baton/v1/images/\(image)/explain")
        let ranked = try #require(explained.json["ranked"] as? [[String: Any]])
        #expect(ranked.map { $0["backend"] as? String } == ["slow", "fast"], "slowness does not change the order")
        #expect(ranked.allSatisfy { $0["standing"] as? String == "regular" && $0["bytes_per_second"] is Double })
    }

    @Test("A download stays when all locations are slow")
    func aDownloadStaysWhenAllLocationsAreSlow() async throws {
        let origins = try (0..<2).map { _ in try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .sound.paced(4_000_000) } }
        defer { for origin in origins { origin.stop() } }
        let baton = try await server(["one": origins[0], "other": origins[1]])
        let image = try await baton.addImage(of: Self.content, at: origins.map { $0.url() })
        #expect(try await baton.download(image, of: Self.content).isComplete)
        #expect(await baton.relay(of: image).fields["moves"] == nil)
    }
}
