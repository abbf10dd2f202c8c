import FaultyOrigin
import Foundation
import Testing

/// Maintenance of locations in the background.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct MaintenanceScenarios {
    static let content = PatternedContent(size: 3_000_017, seed: 71)
    static let scrubbing = "maintenance: { interval: 20ms, scrub_interval: 1ms, scrub_rate: 1GiB }"

    @Test("A scrub quarantines a location that rots")
    func aScrubQuarantinesALocationThatRots() async throws {
        let isRotten = Flag()
        let rotting = try FaultyOrigin(Self.content) { _ in isRotten.isSet ? .corrupt(at: 2_000_000) : .sound }
        let sound = try FaultyOrigin(Self.content)
        defer { for origin in [rotting, sound] { origin.stop() } }
        let baton = try await BatonProcess(origins: ["a": rotting, "b": sound], settings: Self.scrubbing)
        let image = try await baton.addImage()
        let ids = try await baton.addLocations([rotting.url(), sound.url()], to: image, of: Self.content)
        for id in ids { try await baton.waitUntil(id, has: "verified") }
        isRotten.set()
        try await baton.waitUntil(ids[0], is: "quarantined")
        #expect(try await baton.location(ids[1])["status"] as? String == "active")
        #expect(try await baton.download(image, of: Self.content).isComplete, "downloads are not affected")
    }

    @Test("A quarantined location that is repaired becomes active again by itself")
    func aRepairedLocationBecomesActiveAgain() async throws {
        let isMended = Flag()
        let origin = try FaultyOrigin(Self.content) { $0.isProbe || isMended.isSet ? .sound : .corrupt(at: 5) }
        let sound = try FaultyOrigin(Self.content)
        defer { for origin in [origin, sound] { origin.stop() } }
        let baton = try await BatonProcess(
            origins: ["a": origin, "b": sound], settings: "maintenance: { interval: 20ms, recheck: 50ms, scrub_interval: 0s }")
        let image = try await baton.addImage()
        let id = try await baton.addLocations([origin.url(), sound.url()], to: image, of: Self.content)[0]
        try await baton.operate("verify", on: id)
        try await baton.waitUntil(id, has: "quarantine")
        isMended.set()
        try await baton.waitUntil(id, is: "active")
        #expect(try await baton.events(of: id).last == "matched")
    }

    @Test("A store that sends Retry-After is read again when that time is over")
    func aReadRespectsRetryAfter() async throws {
        let asksForTime = Flag()
        let origin = try FaultyOrigin(Self.content) { request in
            if asksForTime.isSet { return .status(429, headers: [("Retry-After", "1800")]) }
            return request.isProbe ? .sound : .corrupt(at: 5)
        }
        let sound = try FaultyOrigin(Self.content)
        defer { for origin in [origin, sound] { origin.stop() } }
        let baton = try await BatonProcess(
            origins: ["a": origin, "b": sound], settings: "maintenance: { interval: 20ms, recheck: 2s, scrub_interval: 0s }")
        let image = try await baton.addImage()
        let id = try await baton.addLocations([origin.url(), sound.url()], to: image, of: Self.content)[0]
        try await baton.operate("verify", on: id)
        try await baton.waitUntil(id, has: "quarantine")
        asksForTime.set()
        let before = Date.now
        try await baton.waitUntil(id, has: "unreachable")
        let location = try await baton.location(id)
        #expect(location["status"] as? String == "quarantined")
        let next = try Date(try #require(location["next_read_at"] as? String), strategy: .iso8601)
        #expect(next.timeIntervalSince(before) >= 1799, "the recheck time of a quarantine does not apply")
        #expect(next.timeIntervalSinceNow <= 1800)
    }

    @Test("A scrub that SIGKILL interrupts resumes where it was")
    func aScrubResumesAfterSIGKILL() async throws {
        let content = PatternedContent(size: 48 << 20, seed: 72)
        let isFree = Flag()
        let origin = try FaultyOrigin(content) { $0.isProbe || isFree.isSet ? .sound : .stall(after: 30 << 20) }
        defer { origin.stop() }
        let directory = try TestDirectory()
        let settings = "relay: { stall_timeout: 60s }\n" + Self.scrubbing
        let first = try await BatonProcess(origins: ["a": origin], settings: settings, in: directory)
        let image = try await first.addImage()
        let id = try await first.addLocations([origin.url()], to: image, of: content)[0]
        try await eventually("the read's progress to be stored") {
            try await first.location(id)["read_position"] as? Int64 != nil
        }
        // Without a graceful stop.
        kill(first.processID, SIGKILL)
        _ = try await first.exited()
        isFree.set()
        let asked = origin.record.requests.count
        let second = try await BatonProcess(origins: ["a": origin], settings: settings, in: directory)
        try await second.waitUntil(id, has: "verified")
        let resumed = try #require(origin.record.downloads.first { $0.index >= asked })
        #expect(try #require(resumed.range?.first) >= 8 << 20)
    }

    @Test("On SIGTERM a scrub keeps its progress")
    func onSIGTERMAScrubKeepsItsProgress() async throws {
        let content = PatternedContent(size: 48 << 20, seed: 73)
        let origin = try FaultyOrigin(content) { $0.isProbe ? .sound : .sound.paced(40 << 20) }
        defer { origin.stop() }
        let directory = try TestDirectory()
        let first = try await BatonProcess(origins: ["a": origin], settings: Self.scrubbing, in: directory)
        let image = try await first.addImage()
        let id = try await first.addLocations([origin.url()], to: image, of: content)[0]
        await origin.waitUntil { $0.bodyBytesSent > 20 << 20 }
        first.terminate()
        #expect(try await first.exited() == 0)
        let asked = origin.record.requests.count
        let second = try await BatonProcess(origins: ["a": origin], settings: Self.scrubbing, in: directory)
        try await second.waitUntil(id, has: "verified")
        let resumed = try #require(origin.record.downloads.first { $0.index >= asked })
        // How many of the sent bytes had been read depends on the system, but it is not 0.
        #expect(try #require(resumed.range?.first) > 0)
    }

    @Test("Scrubs keep to scrub_rate")
    func scrubsKeepToTheirRate() async throws {
        let content = PatternedContent(size: 4 << 20, seed: 74)
        let origin = try FaultyOrigin(content)
        defer { origin.stop() }
        let baton = try await BatonProcess(
            origins: ["a": origin], settings: "maintenance: { interval: 20ms, scrub_interval: 1h, scrub_rate: 2MiB }")
        let image = try await baton.addImage()
        let started = ContinuousClock.now
        let id = try await baton.addLocations([origin.url()], to: image, of: content)[0]
        try await baton.waitUntil(id, has: "verified")
        // 4 MiB at 2 MiB/s must not finish at once.
        #expect(ContinuousClock.now - started > .seconds(1))
        #expect(origin.record.downloads.count == 1, "it waits on one connection")
    }

    @Test("A verification that an operator requested survives SIGKILL")
    func aRequestedVerificationSurvivesSIGKILL() async throws {
        let isSilent = Flag()
        let origin = try FaultyOrigin(Self.content) { $0.isProbe || !isSilent.isSet ? .sound : .stall(after: 0) }
        defer { origin.stop() }
        let directory = try TestDirectory()
        let settings = "relay: { stall_timeout: 60s }\nmaintenance: { interval: 20ms, scrub_interval: 0s }"
        let first = try await BatonProcess(origins: ["a": origin], settings: settings, in: directory)
        let image = try await first.addImage()
        let id = try await first.addLocations([origin.url()], to: image, of: Self.content)[0]
        isSilent.set()
        let asked = try await first.operate("verify", on: id)
        #expect(asked.status == 202 && asked.json["status"] as? String == "active")
        kill(first.processID, SIGKILL)
        _ = try await first.exited()
        isSilent.set(false)
        let second = try await BatonProcess(origins: ["a": origin], settings: settings, in: directory)
        try await second.waitUntil(id, has: "verified")
        #expect(try await second.events(of: id) == ["registered", "probed", "verify", "verified"])
    }

    @Test("A location whose backend left the configuration is neither stuck nor counted as missing")
    func aLocationWithoutABackendIsNeitherStuckNorMissed() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let directory = try TestDirectory()
        let before = try await BatonProcess(origins: ["a": origin], in: directory)
        let image = try await before.addImage()
        let id = try await before.addLocations([origin.url()], to: image, of: Self.content)[0]
        before.terminate()
        #expect(try await before.exited() == 0)
        let baton = try await BatonProcess(
            backends: [:], settings: "maintenance: { interval: 20ms, scrub_interval: 1ms, miss_interval: 10ms }",
            directory: directory)
        #expect(try await baton.operate("quarantine", on: id).status == 200)
        #expect(try await baton.operate("verify", on: id).status == 200)
        try await baton.waitUntil(id, is: "quarantined")
        let last = try #require(try await baton.history(of: id).last)
        #expect(last["event"] == "unreachable" && last["reason"]?.contains("not in the configuration") == true)
        #expect(try await !baton.events(of: id).contains("missed"))
    }

    @Test("Disabling a location ends its verification")
    func disablingALocationEndsItsVerification() async throws {
        let origin = try FaultyOrigin(Self.content) { _ in .stall(after: 1_000_000) }
        defer { origin.stop() }
        let baton = try await BatonProcess(
            origins: ["a": origin], settings: "activation: verify\nrelay: { stall_timeout: 10m }")
        let image = try await baton.addImage()
        let id = try await baton.addLocations([origin.url()], to: image, of: Self.content)[0]
        await origin.waitUntil { $0.bodyBytesSent >= 1_000_000 }
        #expect(try await baton.operate("disable", on: id).json["status"] as? String == "disabled")
        await origin.waitUntil { $0.openConnections == 0 }
        #expect(origin.record.openConnections == 0, "the read goes on")
        #expect(try await baton.location(id)["status"] as? String == "disabled")
        #expect(try await baton.operate("enable", on: id).json["status"] as? String == "pending")
    }

    @Test("Deleting a location ends its scrub")
    func deletingALocationEndsItsScrub() async throws {
        let origin = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .stall(after: 1_000_000) }
        defer { origin.stop() }
        let baton = try await BatonProcess(
            origins: ["a": origin], settings: "relay: { stall_timeout: 10m }\n" + Self.scrubbing)
        let image = try await baton.addImage()
        let id = try await baton.addLocations([origin.url()], to: image, of: Self.content)[0]
        await origin.waitUntil { $0.bodyBytesSent >= 1_000_000 }
        #expect(try await baton.operate("delete", on: id, query: "?force=true").status == 200)
        await origin.waitUntil { $0.openConnections == 0 }
        #expect(origin.record.openConnections == 0, "the read goes on")
        #expect(try await baton.location(id)["status"] as? String == "pending_delete")
    }

    /// Operations race with SIGKILL: every answered one is stored, and each history is consistent.
    @Test("SIGKILL in the middle of transitions loses no answered change")
    func sigkillLosesNoAnsweredTransition() async throws {
        let origin = try FaultyOrigin(PatternedContent(size: 100_003, seed: 75))
        defer { origin.stop() }
        let directory = try TestDirectory()
        let settings = "maintenance: { interval: 1h, scrub_interval: 0s }"
        var baton = try await BatonProcess(origins: ["a": origin], settings: settings, in: directory)
        let image = try await baton.addImage()
        let ids = try await baton.addLocations((0..<4).map { origin.url("\($0)") }, to: image, of: origin.content)
        for round in 0..<8 {
            let running = baton
            let answered = await withTaskGroup(of: (String, String)?.self) { group in
                for id in ids {
                    group.addTask {
                        var last: String?
                        while true {
                            for operation in ["disable", "enable"] {
                                let response = try? await running.operate(operation, on: id)
                                guard response?.status == 200 else { return last.map { (id, $0) } }
                                last = response?.json["status"] as? String
                            }
                        }
                    }
                }
                group.addTask {
                    await running.waitForOperations(20 + 13 * round, on: ids)
                    kill(running.processID, SIGKILL)
                    return nil
                }
                var answered: [String: String] = [:]
                for await result in group { if let (id, status) = result { answered[id] = status } }
                return answered
            }
            _ = try await baton.exited()
            baton = try await BatonProcess(origins: ["a": origin], settings: settings, in: directory)
            for id in ids {
                let history = try await baton.history(of: id)
                let status = try await baton.location(id)["status"] as? String
                #expect(history.last?["to"] == status)
                for (earlier, later) in zip(history, history.dropFirst()) { #expect(earlier["to"] == later["from"]) }
                // An answer may be lost, but never a change that was answered: at most one change is ahead of the last answer.
                if let told = answered[id], status != told {
                    #expect(history.dropLast().last?["to"] == told, "round \(round)")
                }
                if status == "disabled" { #expect(try await baton.operate("enable", on: id).status == 200) }
            }
        }
    }

    @Test("A full read that its backend interrupts resumes where it was when the backend is back")
    func aFullReadResumesWhenItsBackendIsBack() async throws {
        let content = PatternedContent(size: 24 << 20, seed: 96)
        let isBack = Flag()
        let origin = try FaultyOrigin(content) { request in
            if request.isProbe || isBack.isSet { return .sound }
            return request.range?.first == 0 ? .reset(after: 20 << 20) : .status(500)
        }
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["a": origin], settings: "maintenance: { scrub_interval: 0s }")
        let image = try await baton.addImage()
        let id = try await baton.addLocations([origin.url()], to: image, of: content)[0]
        try await baton.operate("verify", on: id)
        _ = await baton.logged { $0.event == "verification.incomplete" }
        isBack.set()
        let asked = origin.record.requests.count
        try await baton.operate("verify", on: id)
        try await baton.waitUntil(id, has: "verified")
        let resumed = try #require(origin.record.downloads.first { $0.index >= asked })
        #expect(try #require(resumed.range?.first) > 0, "it must not be read from the beginning again")
    }

    @Test("A silent backend does not delay the probes of other backends' locations")
    func aSilentBackendDoesNotDelayOtherProbes() async throws {
        let isSilent = Flag()
        let isBack = Flag()
        let silent = try FaultyOrigin(Self.content) { _ in isSilent.isSet ? .slowFirstByte(.seconds(3600)) : .status(503) }
        let other = try FaultyOrigin(Self.content) { _ in isBack.isSet ? .sound : .status(503) }
        defer { for origin in [silent, other] { origin.stop() } }
        let baton = try await BatonProcess(
            origins: ["a": silent, "b": other],
            settings: """
                relay: { connect_timeout: 100ms, stall_timeout: 300ms }
                maintenance: { interval: 20ms, scrub_interval: 0s }
                """)
        let image = try await baton.addImage()
        let urls = (0..<20).map { silent.url("x\($0)") } + [other.url()]
        let ids = try await baton.addLocations(urls, to: image, of: Self.content)
        for id in ids { #expect(try await baton.location(id)["status"] as? String == "pending") }
        isSilent.set()
        let (asked, others) = (silent.record.requests.count, other.record.requests.count)
        await silent.waitUntil { $0.requests.count > asked }
        // It was refused once more, in the same pass or before it: the next probe must come soon.
        await other.waitUntil { $0.requests.count > others }
        isBack.set()
        try await baton.waitUntil(ids[20], is: "active")
        #expect(silent.record.requests.count - asked < 10, "the silent backend's locations must not all come first")
        // A running pass does not delay the shutdown either.
        baton.terminate()
        #expect(try await baton.exited() == 0)
        #expect(silent.record.requests.count - asked < 15)
    }
}

extension BatonProcess {
    /// Waits until the histories of these locations have that many operations, or the server is gone.
    fileprivate func waitForOperations(_ count: Int, on ids: [String]) async {
        var base: Int?
        while true {
            var total = 0
            for id in ids {
                guard let events = try? await events(of: id) else { return }
                total += events.count
            }
            let start = base ?? total
            base = start
            if total - start >= count { return }
        }
    }
}
