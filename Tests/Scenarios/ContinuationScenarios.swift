import FaultyOrigin
import Testing

/// The first location dies half-way, the second continues with a wrong answer, and the third is sound.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ContinuationScenarios {
    static let content = PatternedContent(size: 5_000_011, seed: 3)

    struct Fault: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let behaviour: Behaviour

        init(_ name: String, _ behaviour: Behaviour) {
            testDescription = name
            self.behaviour = behaviour
        }
    }

    static let faults: [Fault] = [
        .init("a range that begins one byte late", .wrongRange(by: 1)),
        .init("a range that begins one byte early", .wrongRange(by: -1)),
        .init("200 and everything", .ignoringRange),
        .init("503", .status(503)),
        .init("416", .status(416)),
        .init("another total", .wrongTotal(by: -1)),
        .init("another object", .etag("\"v2\"")),
        .init("nothing for ever", .stall(after: 0)),
        .init("a coding that changes the bytes", .encoded(["br"])),
    ]

    @Test("A location that continues with a wrong answer is skipped, and the image is exact", arguments: faults)
    func aLocationThatContinuesWronglyIsSkipped(fault: Fault) async throws {
        let dying = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .reset(after: Self.content.size / 2) }
        // "another object": the bytes are right, but the ETag is no longer the registered one.
        let wrong = try FaultyOrigin(Self.content) { request in
            if request.isProbe || request.range?.first == 0 { return .sound }
            return fault.behaviour
        }
        let sound = try FaultyOrigin(Self.content)
        defer { for origin in [dying, wrong, sound] { origin.stop() } }
        let baton = try await BatonProcess(origins: ["a-dying": dying, "b-wrong": wrong, "c-sound": sound])
        let image = try await baton.addImage(of: Self.content, at: [dying.url(), wrong.url(), sound.url()])
        let response = try await baton.download(image, of: Self.content)
        #expect(response.isComplete)
        #expect(response.firstWrongByte == nil)
        let relay = await baton.relay(of: image)
        #expect(relay["outcome"] == "finished")
        #expect(wrong.record.downloads.first?.range?.first == Self.content.size / 2)
        // Whole downloads need no pin, so another ETag alone does not exclude a location that this relay has not read before.
        let isUsable = fault.testDescription == "another object"
        #expect(relay.fields["served"]?.last?.hasPrefix(isUsable ? "b-wrong " : "c-sound ") == true)
    }

    @Test("A location whose object changed while it was read is not resumed")
    func aLocationWhoseObjectChangedIsNotResumed() async throws {
        // It breaks half-way with one object and comes back with another; the only other location stalls at first.
        let changed = try FaultyOrigin(Self.content) { request in
            request.isProbe ? .sound : request.range?.first == 0 ? .reset(after: 2_000_000) : .etag("\"v2\"")
        }
        let late = try FaultyOrigin(Self.content) { request in
            request.isProbe || request.index > 1 ? .sound : .status(503)
        }
        defer { for origin in [changed, late] { origin.stop() } }
        let baton = try await BatonProcess(origins: ["changed": changed, "late": late])
        let image = try await baton.addImage(of: Self.content, at: [changed.url(), late.url()])
        let response = try await baton.download(image, of: Self.content)
        #expect(response.isComplete)
        #expect(response.firstWrongByte == nil)
        let relay = await baton.relay(of: image)
        #expect(relay.fields["served"]?.count == 2)
        #expect(relay.fields["served"]?.last?.hasPrefix("late ") == true)
    }

    @Test("An origin without ranges is the last resort and still gives the exact image")
    func anOriginWithoutRangesIsTheLastResort() async throws {
        let dying = try FaultyOrigin(Self.content) { request in
            request.isProbe ? .sound : request.range?.first == 0 ? .reset(after: 3_000_000) : .status(500)
        }
        let rangeless = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .ignoringRange }
        defer { for origin in [dying, rangeless] { origin.stop() } }
        let baton = try await BatonProcess(
            origins: ["dying": dying, "rangeless": rangeless],
            settings: "relay: { revisits: 0, stall_timeout: 400ms, connect_timeout: 1s }")
        let image = try await baton.addImage(of: Self.content, at: [dying.url(), rangeless.url()])
        let response = try await baton.download(image, of: Self.content)
        #expect(response.isComplete)
        #expect(response.firstWrongByte == nil)
        let relay = await baton.relay(of: image)
        #expect(relay.fields["served"]?.last == "rangeless 3000000-\(Self.content.size - 1)")
        #expect(relay["extra_bytes"].flatMap { Int($0) }.map { $0 >= 3_000_000 } == true)
    }

    @Test("A location that recovers is tried again")
    func aLocationThatRecoversIsTriedAgain() async throws {
        let shaky = try FaultyOrigin(Self.content) { $0.isProbe || $0.index > 4 ? .sound : .reset(after: 300_000) }
        defer { shaky.stop() }
        let baton = try await BatonProcess(origins: ["shaky": shaky])
        let image = try await baton.addImage(of: Self.content, at: [shaky.url()])
        let response = try await baton.download(image, of: Self.content)
        #expect(response.isComplete)
        #expect(response.firstWrongByte == nil)
        #expect(shaky.record.downloads.count > 4)
    }
}
