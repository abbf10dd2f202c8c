import FaultyOrigin
import Foundation
import Testing

/// Which location a download comes from, and how a backend's failures affect the next downloads.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct SelectionScenarios {
    private static let content = PatternedContent(size: 1_000_003, seed: 77)

    private func backend(_ id: String, _ baton: BatonProcess) async throws -> [String: Any] {
        let response = try await baton.send("GET", "/baton/v1/backends")
        let all = response.json["backends"] as? [[String: Any]] ?? []
        return try #require(all.first { $0["id"] as? String == id })
    }

    private func breaker(_ id: String, _ baton: BatonProcess) async throws -> String? {
        (try await backend(id, baton)["breaker"] as? [String: Any])?["state"] as? String
    }

    @Test("A backend that fails repeatedly ranks last until a real read of it succeeds")
    func aFailingBackendRanksLastUntilAReadSucceeds() async throws {
        let isWell = Flag()
        let shaky = try FaultyOrigin(Self.content) { _ in isWell.isSet ? .sound : .status(500) }
        let sound = try FaultyOrigin(Self.content)
        defer {
            shaky.stop()
            sound.stop()
        }
        isWell.set()
        let baton = try await BatonProcess(
            origins: ["shaky": shaky, "sound": sound],
            settings:
                "selection: { strategy: ordered, penalty: 0s, breaker_failures: 2, breaker_opening: 1s }")
        let image = try await baton.addImage(of: Self.content, at: [shaky.url(), sound.url()])
        isWell.set(false)
        for _ in 1...2 {
            #expect(try await baton.explained(image) == ["shaky", "sound"])
            #expect(try await baton.download(image, of: Self.content).isComplete)
        }
        #expect(try await breaker("shaky", baton) != "closed")
        #expect(try await baton.explained(image) == ["sound", "shaky"])
        let asked = shaky.record.downloads.count
        #expect(try await baton.download(image, of: Self.content).isComplete)
        #expect(shaky.record.downloads.count == asked, "no download tries it while its breaker is open")

        isWell.set()
        try await eventually("the breaker to close") { try await breaker("shaky", baton) == "closed" }
        #expect(shaky.record.downloads.count == asked, "the probe reads one byte and is not part of a download")
        #expect(try await baton.explained(image) == ["shaky", "sound"])
    }

    @Test("An open breaker shows when its probe is due")
    func anOpenBreakerShowsWhenItsProbeIsDue() async throws {
        let isDown = Flag()
        let failing = try FaultyOrigin(Self.content) { _ in isDown.isSet ? .status(500) : .sound }
        defer { failing.stop() }
        let baton = try await BatonProcess(
            origins: ["failing": failing],
            settings: "selection: { breaker_failures: 1, breaker_opening: 30s }\nrelay: { revisits: 0 }")
        let image = try await baton.addImage(of: Self.content, at: [failing.url()])
        isDown.set()
        let before = Date.now
        #expect(try await baton.send("GET", "/v2/images/\(image)/file").status == 503)
        let breaker = try #require(try await backend("failing", baton)["breaker"] as? [String: Any])
        #expect(breaker["state"] as? String == "open")
        let due = try Date(try #require(breaker["probe_due_at"] as? String), strategy: .iso8601)
        // Whole seconds; up to a fifth less than configured.
        #expect(due.timeIntervalSince(before) >= 23 && due.timeIntervalSinceNow <= 30)
    }

    @Test("A refused probe closes the breaker, since the backend answers")
    func aRefusedProbeClosesTheBreaker() async throws {
        let (isDown, refuses) = (Flag(), Flag())
        let shaky = try FaultyOrigin(Self.content) { _ in
            isDown.isSet ? .status(500) : refuses.isSet ? .status(403) : .sound
        }
        let sound = try FaultyOrigin(Self.content)
        defer {
            shaky.stop()
            sound.stop()
        }
        let baton = try await BatonProcess(
            origins: ["shaky": shaky, "sound": sound],
            settings: "selection: { strategy: ordered, penalty: 0s, breaker_failures: 1, breaker_opening: 1s }")
        let image = try await baton.addImage(of: Self.content, at: [shaky.url(), sound.url()])
        isDown.set()
        #expect(try await baton.download(image, of: Self.content).isComplete)
        #expect(try await breaker("shaky", baton) != "closed")
        refuses.set()
        isDown.set(false)
        try await eventually("the breaker to close") { try await breaker("shaky", baton) == "closed" }
    }

    @Test("The last location is tried even if its breaker is open")
    func theLastLocationIsTriedEvenIfItsBreakerIsOpen() async throws {
        let isWell = Flag()
        let only = try FaultyOrigin(Self.content) { $0.isProbe || isWell.isSet ? .sound : .status(500) }
        defer { only.stop() }
        let baton = try await BatonProcess(
            origins: ["only": only],
            settings: """
                selection: { strategy: ordered, breaker_failures: 1, breaker_opening: 1h, breaker_longest_opening: 1h }
                relay: { connect_timeout: 1s, stall_timeout: 400ms, give_up_after: 4s, revisits: 0 }
                """)
        let image = try await baton.addImage(of: Self.content, at: [only.url()])
        #expect(try await baton.download(image, of: Self.content).status == 503)
        #expect(try await breaker("only", baton) == "open")
        isWell.set()
        #expect(try await baton.download(image, of: Self.content).isComplete)
        // The line comes shortly after the client has all bytes.
        await baton.waitForLog { log in log.count { $0.event == "download.finished" } == 2 }
        #expect(try await breaker("only", baton) == "closed", "any success closes it, not only a probe's")
    }

    @Test("A backend that sends Retry-After is not asked again until then")
    func aBackendThatSendsRetryAfterRests() async throws {
        let busy = try FaultyOrigin(Self.content) {
            $0.isProbe ? .sound : .status(429, headers: [("Retry-After", "3000")])
        }
        let sound = try FaultyOrigin(Self.content)
        defer {
            busy.stop()
            sound.stop()
        }
        let baton = try await BatonProcess(
            origins: ["busy": busy, "sound": sound], settings: "selection: { strategy: ordered, penalty: 0s }")
        let image = try await baton.addImage(of: Self.content, at: [busy.url(), sound.url()])
        for _ in 1...3 { #expect(try await baton.download(image, of: Self.content).isComplete) }
        #expect(busy.record.downloads.count == 1)
        #expect(try await backend("busy", baton)["rests_until"] is String)
        #expect(try await breaker("busy", baton) == "closed", "a Retry-After is not a failure")
    }

    @Test("The strategy measured prefers the location that finishes first")
    func measuredPrefersTheLocationThatFinishesFirst() async throws {
        let slow = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .slowFirstByte(.milliseconds(300)) }
        let quick = try FaultyOrigin(Self.content)
        defer {
            slow.stop()
            quick.stop()
        }
        let baton = try await BatonProcess(
            origins: ["slow": slow, "quick": quick], settings: "selection: { strategy: measured }")
        let image = try await baton.addImage(of: Self.content, at: [slow.url(), quick.url()])
        #expect(try await baton.explained(image) == ["slow", "quick"], "there are no measurements yet")
        // One choice in twenty is exploration, so the first may be the quick one; each is tried before long.
        var downloads = 0
        while slow.record.downloads.isEmpty {
            #expect(try await baton.download(image, of: Self.content).isComplete)
            downloads += 1
            await baton.waitForLog { [downloads] log in log.count { $0.event == "download.finished" } == downloads }
        }
        #expect(try await baton.explained(image) == ["quick", "slow"])
        let response = try await baton.send("GET", "/baton/v1/images/\(image)/explain")
        let ranked = try #require(response.json["ranked"] as? [[String: Any]])
        let costs = ranked.compactMap { $0["cost"] as? Double }
        #expect(costs.count == 2 && costs[0] < costs[1])
        #expect(try #require(try await backend("slow", baton)["first_byte_seconds"] as? Double) >= 0.3)
    }
}
