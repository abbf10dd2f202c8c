import FaultyOrigin
import Foundation
import Testing

/// Backends with a limited number of connections.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ConnectionScenarios {
    static let content = PatternedContent(size: 3_000_017, seed: 91)
    /// Long timeouts for origins that wait on purpose, and no revisits, so that a relay ends when its origin is gone.
    static let longTimeouts = "relay: { slow_factor: 0, stall_timeout: 60s, give_up_after: 2m, revisits: 0 }"

    private func server(
        _ origins: [String: FaultyOrigin], limited: String, _ limit: String, settings: String = longTimeouts
    ) async throws -> BatonProcess {
        var backends = origins.mapValues { #"driver: http, url: "\#($0.url(""))""# }
        backends[limited]? += ", " + limit
        return try await BatonProcess(backends: backends, settings: settings)
    }

    @Test("Twenty downloads share two connections, and all are exact")
    func twentyDownloadsShareTwoConnectionsAndAllAreExact() async throws {
        let origin = try FaultyOrigin(Self.content) { _ in .sound.paced(30 << 20) }
        defer { origin.stop() }
        let baton = try await server(
            ["a": origin], limited: "a", "max_connections: 2, queue_timeout: 50ms",
            settings: Self.longTimeouts + "\ntransfer: { loops: 3 }")
        let image = try await baton.addImage(of: Self.content, at: [origin.url()])
        try await withThrowingTaskGroup { group in
            for _ in 0..<20 { group.addTask { try await baton.download(image, of: Self.content) } }
            for try await response in group { #expect(response.isComplete && response.firstWrongByte == nil) }
        }
        #expect(origin.record.answers.most == 2)
        #expect(origin.record.downloads.count == 20)
    }

    @Test("A scrub gives its connection to a download and resumes where it was")
    func aScrubGivesItsConnectionToADownloadAndResumes() async throws {
        let isFree = Flag()
        // The scrub would hold the only connection for ever. The bytes sent are more than all buffers on the way hold.
        let content = PatternedContent(size: 24 << 20, seed: 92)
        let origin = try FaultyOrigin(content) { $0.isProbe || isFree.isSet ? .sound : .stall(after: 16 << 20) }
        defer { origin.stop() }
        let baton = try await server(
            ["a": origin], limited: "a", "max_connections: 1, queue_timeout: 1h",
            settings: Self.longTimeouts + "\n" + MaintenanceScenarios.scrubbing)
        let image = try await baton.addImage()
        let id = try await baton.addLocations([origin.url()], to: image, of: content)[0]
        await origin.waitUntil { $0.bodyBytesSent >= 16 << 20 }
        isFree.set()
        let response = try await baton.download(image, of: content)
        #expect(response.isComplete && response.firstWrongByte == nil)
        try await baton.waitUntil(id, has: "verified")
        await origin.waitUntil { $0.downloads.count >= 3 }
        let firsts = origin.record.downloads.prefix(3).map { $0.range?.first ?? -1 }
        #expect(firsts[0] == 0 && firsts[1] == 0)
        #expect(firsts[2] > 0, "the scrub resumes and does not begin again")
        #expect(try await baton.location(id)["status"] as? String == "active")
    }

    @Test("A download that waits too long for a permit moves to the next location")
    func aDownloadThatWaitsTooLongForAPermitMovesOn() async throws {
        let origin = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .stall(after: 1_000_000) }
        let other = try FaultyOrigin(Self.content)
        defer { for origin in [origin, other] { origin.stop() } }
        let baton = try await server(["a": origin, "b": other], limited: "a", "max_connections: 1, queue_timeout: 50ms")
        let held = try await baton.addImage(of: Self.content, at: [origin.url("held")])
        let image = try await baton.addImage(of: Self.content, at: [origin.url(), other.url()])
        let holder = Task { try await baton.download(held, of: Self.content) }
        await origin.waitUntil { $0.bodyBytesSent >= 1_000_000 }
        let response = try await baton.download(image, of: Self.content)
        #expect(response.isComplete && response.firstWrongByte == nil)
        let relay = await baton.relay(of: image)
        #expect(relay.fields["failures"]?.first?.hasPrefix("a busy:") == true)
        #expect(relay.fields["served"] == ["b 0-\(Self.content.size - 1)"])
        #expect(try await baton.explained(image) == ["a", "b"], "Baton's own limit does not change the order")
        #expect(origin.record.downloads.count == 1)
        origin.stop()
        _ = try await holder.value
    }

    @Test("When no permit is free in time, the response is 503 and says busy")
    func withoutAPermitInTimeTheResponseSaysBusy() async throws {
        // Slow but never silent: its only connection is held for longer than the other download may wait.
        let origin = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .sound.paced(100_000) }
        defer { origin.stop() }
        let baton = try await server(
            ["a": origin], limited: "a", "max_connections: 1, queue_timeout: 50ms",
            settings: "relay: { slow_factor: 0, stall_timeout: 3s, give_up_after: 4s, revisits: 0 }")
        let held = try await baton.addImage(of: Self.content, at: [origin.url("held")])
        let image = try await baton.addImage(of: Self.content, at: [origin.url()])
        let holder = Task { try await baton.download(held, of: Self.content) }
        await origin.waitUntil { $0.bodyBytesSent > 65_536 }
        let response = try await baton.download(image, of: Self.content)
        #expect(response.status == 503)
        #expect(response.text.contains("busy"))
        #expect(origin.record.downloads.count == 1)
        origin.stop()
        _ = try await holder.value
    }

    /// Each way in which an attempt can end, at a backend with one connection: if one kept its permit, the other backend would serve
    /// the last download.
    @Test("However an attempt ends, it returns its permit")
    func everyAttemptReturnsItsPermit() async throws {
        let isSound = Flag()
        let origin = try FaultyOrigin(Self.content) { request in
            if request.isProbe || isSound.isSet { return .sound }
            switch request.path {
            case "/reset": return .reset(after: 1_000_000)
            case "/missing": return .status(404)
            case "/corrupt": return .corrupt(at: 10)
            case "/total": return .wrongTotal(by: 1)
            default: return .stall(after: 1_000_000)
            }
        }
        let other = try FaultyOrigin(Self.content)
        defer { for origin in [origin, other] { origin.stop() } }
        let baton = try await server(["a": origin, "b": other], limited: "a", "max_connections: 1, queue_timeout: 20s")
        for path in ["reset", "missing", "corrupt", "total"] {
            let image = try await baton.addImage()
            let ids = try await baton.addLocations([origin.url(path), other.url(path)], to: image, of: Self.content)
            _ = try await baton.download(image, of: Self.content)
            // The reads after a failed verification must end first, or they would be counted below.
            if path == "corrupt" { try await baton.waitUntil(ids[0], is: "quarantined") }
        }
        // A client that disconnects while it receives bytes, and one that does so after it waited for its permit.
        let left = try await baton.addImage(of: Self.content, at: [origin.url("left")])
        let port = baton.port
        let sent = origin.record.bodyBytesSent
        let first = try await onOwnThread {
            let client = try TestClient(port: port)
            try client.send("GET", "/v2/images/\(left)/file")
            let kept = Kept(client)
            kept.begin()
            return kept
        }
        await origin.waitUntil { $0.bodyBytesSent >= sent + 1_000_000 }
        let waiting = try await onOwnThread {
            let client = try TestClient(port: port)
            try client.send("GET", "/v2/images/\(left)/file")
            return Kept(client)
        }
        first.drop()
        try await onOwnThread { waiting.begin() }
        waiting.drop()
        await baton.waitForLog { log in
            log.count { $0.event == "download.finished" && $0["image"] == left && $0["outcome"] == "client-gone" } == 2
        }
        // A location that is quarantined while it is read.
        let taken = try await baton.addImage()
        let ids = try await baton.addLocations([origin.url("taken"), other.url("taken")], to: taken, of: Self.content)
        let before = origin.record.bodyBytesSent
        async let download = baton.download(taken, of: Self.content)
        await origin.waitUntil { $0.bodyBytesSent >= before + 1_000_000 }
        try await baton.operate("quarantine", on: ids[0])
        #expect(try await download.isComplete)
        isSound.set()
        let image = try await baton.addImage(of: Self.content, at: [origin.url("last"), other.url("last")])
        #expect(try await baton.download(image, of: Self.content).isComplete)
        #expect(await baton.relay(of: image).fields["served"] == ["a 0-\(Self.content.size - 1)"])
    }

    @Test(
        "Clients that do not read give their connections to one that does, and still get the exact image",
        arguments: [false, true])
    func clientsThatDoNotReadGiveUpTheirConnections(withManifest: Bool) async throws {
        let content = PatternedContent(size: 24 << 20, seed: 93)
        let origin = try FaultyOrigin(content)
        defer { origin.stop() }
        let baton = try await server(
            ["a": origin], limited: "a", "max_connections: 2",
            settings: "relay: { slow_factor: 0, stall_timeout: 60s, give_up_after: 2m, permit_timeout: 200ms }")
        let image = try await baton.addImage(of: content, at: [origin.url()])
        if withManifest { #expect(try await baton.download(image, of: content).isComplete) }
        let port = baton.port
        let sleepers = try await onOwnThread {
            try (0..<2).map { _ in
                let client = try TestClient(port: port, receiveBuffer: 65_536)
                try client.send("GET", "/v2/images/\(image)/file")
                return Kept(client)
            }
        }
        try await onOwnThread { for sleeper in sleepers { sleeper.begin() } }
        for _ in 0..<3 {
            let response = try await baton.download(image, of: content)
            #expect(response.isComplete && response.firstWrongByte == nil)
        }
        for sleeper in sleepers {
            let response = try await onOwnThread { sleeper.finish(content) }
            #expect(response.isComplete && response.firstWrongByte == nil)
        }
        let relays = baton.log.filter { $0.event == "download.finished" && $0["image"] == image }
        #expect(relays.allSatisfy { $0.fields["failures"] == nil }, "giving up a connection counts as a failure: \(relays)")
    }

    @Test("A caller with many downloads gives a connection to another caller")
    func oneCallerCannotHoldEveryConnection() async throws {
        let content = PatternedContent(size: 6 << 20, seed: 94)
        let isFree = Flag()
        // The first caller's downloads would take minutes.
        let origin = try FaultyOrigin(content) { $0.isProbe || isFree.isSet ? .sound : .sound.paced(32_768) }
        defer { origin.stop() }
        let baton = try await server(
            ["a": origin], limited: "a", "max_connections: 2",
            settings: """
                relay: { slow_factor: 0, slow_rate: 0B, stall_timeout: 60s, give_up_after: 2m, revisits: 0 }
                auth: { trusted_proxies: [127.0.0.1] }
                """)
        let image = try await baton.addImage(of: content, at: [origin.url()])
        let port = baton.port
        let greedy = (0..<4).map { _ in Task { try await baton.download(image, of: content) } }
        await origin.waitUntil { $0.downloads.count == 2 }
        isFree.set()
        let response = try await onOwnThread {
            let client = try TestClient(port: port)
            try client.send("GET", "/v2/images/\(image)/file", headers: ["X-Forwarded-For": "192.0.2.7"])
            var response = client.receiveHead()
            client.receiveBody(&response, expected: (content, 0))
            return response
        }
        #expect(response.isComplete && response.firstWrongByte == nil)
        origin.stop()
        for task in greedy { _ = try? await task.value }
    }

    @Test(
        "An error in a connection limit is reported",
        arguments: [
            ("driver: http, url: \"http://127.0.0.1:9/\", max_connections: 0", "b.max_connections: 0 is out of range: from 1"),
            (
                "driver: http, url: \"http://127.0.0.1:9/\", max_connections: few",
                "b.max_connections: \"few\" is not a whole number"
            ),
            (
                "driver: http, url: \"http://127.0.0.1:9/\", queue_timeout: 1s",
                "b.queue_timeout: needs max_connections"
            ),
            ("driver: file, root: \"/srv\", max_connections: 2", "b.max_connections: no such key"),
        ])
    func anErrorInALimitIsReported(keys: String, expected: String) async throws {
        let directory = try TestDirectory()
        let file = try directory.write("backends:\n  b: { \(keys) }\n", to: "baton.yaml")
        let checked = try await BatonCommand.run(["check", "--config", file])
        #expect(checked.status != 0)
        #expect(checked.errors.contains(expected))
    }

    @Test("check names the connection limit")
    func aCheckNamesTheLimit() async throws {
        let directory = try TestDirectory()
        let yaml = "backends:\n  b: { driver: http, url: \"http://127.0.0.1:9/\", max_connections: 2 }\n"
        let checked = try await BatonCommand.run(["check", "--config", try directory.write(yaml, to: "baton.yaml")])
        #expect(checked.output.contains("b (http, at most 2 connections)"))
    }
}

/// A connection of a test that stays open until it is dropped.
private final class Kept: @unchecked Sendable {
    // `@unchecked Sendable`: one task makes it, then one drops it.
    private var client: TestClient?
    private var response: TestClient.Response?

    init(_ client: TestClient) { self.client = client }

    /// Waits for the beginning of the response's body.
    func begin() {
        guard let client else { return }
        var response = client.receiveHead()
        client.receiveBody(&response, upTo: 1000)
        self.response = response
    }

    /// Reads the rest.
    func finish(_ content: PatternedContent) -> TestClient.Response {
        guard let client, var response else { return TestClient.Response() }
        client.receiveBody(&response, expected: (content, 0))
        return response
    }

    func drop() { client = nil }
}
