import FaultyOrigin
import Testing

/// The purpose of Baton: the serving location fails, and the client still gets the exact image.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct FailoverScenarios {
    /// Not a multiple of any buffer on the way.
    static let content = PatternedContent(size: 5_000_011, seed: 1)

    /// A fault of the first location; the second is sound.
    struct Fault: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let behaviour: Behaviour
        /// Whether bytes of the faulty location end up in the response.
        let isMidStream: Bool

        init(_ name: String, _ behaviour: Behaviour, midStream: Bool) {
            testDescription = name
            self.behaviour = behaviour
            isMidStream = midStream
        }
    }

    static let size = content.size
    static let faults: [Fault] = [
        .init("reset before the first byte", .reset(after: 0), midStream: false),
        .init("reset after the first byte", .reset(after: 1), midStream: true),
        .init("reset in the middle", .reset(after: size / 2), midStream: true),
        .init("reset one byte before the end", .reset(after: size - 1), midStream: true),
        .init("early close before the first byte", .close(after: 0), midStream: false),
        .init("early close after the first byte", .close(after: 1), midStream: true),
        .init("early close in the middle", .close(after: size / 2), midStream: true),
        .init("early close one byte before the end", .close(after: size - 1), midStream: true),
        .init("stall before the first byte", .stall(after: 0), midStream: false),
        .init("stall after the first byte", .stall(after: 1), midStream: true),
        .init("stall in the middle", .stall(after: size / 2), midStream: true),
        .init("stall one byte before the end", .stall(after: size - 1), midStream: true),
        .init("status 500", .status(500), midStream: false),
        .init("status 503", .status(503), midStream: false),
        .init("status 503 with Retry-After", .status(503, headers: [("Retry-After", "30")]), midStream: false),
        .init("status 404", .status(404), midStream: false),
        .init("status 403", .status(403), midStream: false),
        .init("status 416", .status(416), midStream: false),
        .init("status 429", .status(429, headers: [("Retry-After", "1")]), midStream: false),
        .init("redirect loop", .redirectLoop, midStream: false),
        .init("a coding that changes the bytes", .encoded(["br"]), midStream: false),
        .init("first byte later than the stall timeout", .slowFirstByte(.seconds(2)), midStream: false),
        .init("wrong total", .wrongTotal(by: 7), midStream: false),
        .init("wrong Content-Range at once", .wrongRange(by: 1), midStream: false),
    ]

    @Test("With one sound location left, every fault still delivers the exact image in one response", arguments: faults)
    func everyFaultStillDeliversTheExactImage(fault: Fault) async throws {
        let faulty = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : fault.behaviour }
        let sound = try FaultyOrigin(Self.content)
        defer {
            faulty.stop()
            sound.stop()
        }
        let baton = try await BatonProcess(origins: ["faulty": faulty, "sound": sound])
        let image = try await baton.addImage(of: Self.content, at: [faulty.url(), sound.url()])
        let response = try await baton.download(image, of: Self.content)
        #expect(response.status == 200)
        #expect(response.isComplete)
        #expect(response.firstWrongByte == nil)
        let relay = await baton.relay(of: image)
        #expect(relay["outcome"] == "finished")
        #expect(relay.fields["moves"]?.count == 1)
        #expect(relay.fields["served"]?.count == (fault.isMidStream ? 2 : 1))
        #expect(relay.fields["served"]?.last?.hasPrefix("sound ") == true)
        let locations = try await baton.locations(of: image).compactMap { $0["id"] as? String }
        #expect(relay.fields["locations"] == (fault.isMidStream ? locations : [locations[1]]))
        #expect(relay.fields["failed_locations"] == [locations[0]])
        #expect(faulty.record.downloads.count == 1, "a faulty location is not tried again while another can serve")
    }

    @Test("A body longer than declared is cut at its declared end")
    func aBodyLongerThanDeclaredIsCutAtItsDeclaredEnd() async throws {
        let origin = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .longBody(extra: 1000) }
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["long": origin])
        let image = try await baton.addImage(of: Self.content, at: [origin.url()])
        let response = try await baton.download(image, of: Self.content)
        #expect(response.isComplete)
        #expect(response.count == Self.size)
        #expect(response.firstWrongByte == nil)
    }

    @Test("A relay waits for a first byte that comes within the stall timeout")
    func aLateFirstByteWithinTheTimeoutIsAwaited() async throws {
        let slow = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .slowFirstByte(.milliseconds(300)) }
        let other = try FaultyOrigin(Self.content)
        defer { for origin in [slow, other] { origin.stop() } }
        let baton = try await BatonProcess(
            origins: ["slow": slow, "other": other], settings: "relay: { slow_factor: 0, stall_timeout: 20s }")
        let image = try await baton.addImage(of: Self.content, at: [slow.url(), other.url()])
        #expect(try await baton.download(image, of: Self.content).isComplete)
        #expect(await baton.relay(of: image).fields["served"] == ["slow 0-\(Self.size - 1)"])
        #expect(other.record.downloads.isEmpty)
    }

    @Test("A refused connection costs only a failover")
    func aRefusedConnectionCostsOnlyAFailover() async throws {
        let dead = try FaultyOrigin(Self.content)
        let sound = try FaultyOrigin(Self.content)
        defer { sound.stop() }
        let baton = try await BatonProcess(origins: ["dead": dead, "sound": sound])
        let image = try await baton.addImage(of: Self.content, at: [dead.url(), sound.url()])
        dead.stop()
        let response = try await baton.download(image, of: Self.content)
        #expect(response.isComplete)
        #expect(response.firstWrongByte == nil)
        #expect(await baton.relay(of: image).fields["failures"]?.first?.contains("connect") == true)
    }

    @Test("A name that does not resolve costs only a failover")
    func aNameThatDoesNotResolveCostsOnlyAFailover() async throws {
        let sound = try FaultyOrigin(Self.content)
        defer { sound.stop() }
        let directory = try TestDirectory()
        let before = try await BatonProcess(origins: ["moved": sound], in: directory)
        let image = try await before.addImage()
        try await before.addLocations([sound.url()], to: image, of: Self.content)
        before.terminate()
        #expect(try await before.exited() == 0)
        let baton = try await BatonProcess(
            backends: [
                "moved": #"driver: http, url: "http://no-such-host.invalid/""#,
                "sound": #"driver: http, url: "\#(sound.url("other"))""#,
            ], directory: directory)
        try await baton.addLocations([sound.url("other/image")], to: image, of: Self.content)
        let response = try await baton.download(image, of: Self.content)
        #expect(response.isComplete)
        #expect(response.firstWrongByte == nil)
        let failures = await baton.relay(of: image).fields["failures"] ?? []
        #expect(failures.count == 1)
        #expect(failures.first?.contains("resolve") == true)
    }

    @Test("A relay leaves a server that is killed in mid-stream at the exact byte")
    func aKilledServerIsLeftAtTheExactByte() async throws {
        let content = PatternedContent(size: 64 << 20, seed: 2)
        let dying = try FaultyOrigin(content) { $0.isProbe ? .sound : .stall(after: 24 << 20) }
        let sound = try FaultyOrigin(content)
        defer { sound.stop() }
        // It waits in mid-stream to be killed, and does not count as stalled or slow before.
        let baton = try await BatonProcess(
            origins: ["dying": dying, "sound": sound],
            settings: "relay: { slow_factor: 0, stall_timeout: 60s, give_up_after: 2m }")
        let image = try await baton.addImage(of: content, at: [dying.url(), sound.url()])
        async let download = baton.download(image, of: content)
        await dying.waitUntil { $0.bodyBytesSent >= 24 << 20 }
        dying.stop()
        let response = try await download
        #expect(response.isComplete)
        #expect(response.firstWrongByte == nil)
        let relay = await baton.relay(of: image)
        #expect(relay.fields["served"]?.count == 2)
        let asked = try #require(sound.record.downloads.first?.range?.first)
        #expect(relay.fields["served"]?.last == "sound \(asked)-\(content.size - 1)")
    }
}
