import FaultyOrigin
import Foundation
import Glibc
import Testing
import Waiting

/// Changes while the server runs, and signals that do not stop it.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ReloadScenarios {
    private static let slow: Int64 = 8 << 20

    /// Starts a download that takes seconds.
    private func begin(_ baton: BatonProcess, _ origin: FaultyOrigin, _ content: PatternedContent) async throws -> Task<
        TestClient.Response, any Error
    > {
        let image = try await baton.addImage(of: content, at: [origin.url()])
        let download = Task { try await baton.download(image, of: content) }
        await origin.waitUntil { !$0.downloads.isEmpty && $0.bodyBytesSent > 1 << 20 }
        return download
    }

    private func paced(_ content: PatternedContent) throws -> FaultyOrigin {
        try FaultyOrigin(content) { $0.isProbe ? .sound : .sound.paced(Self.slow) }
    }

    @Test(
        "No signal but SIGTERM and SIGINT ends the server or a running download",
        arguments: [SIGHUP, SIGPIPE, SIGUSR1, SIGUSR2])
    func otherSignalsEndNothing(number: Int32) async throws {
        let content = PatternedContent(size: 16 << 20, seed: 61)
        let origin = try paced(content)
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin])
        let download = try await begin(baton, origin, content)
        baton.signal(number)
        let response = try await download.value
        #expect(response.isComplete && response.firstWrongByte == nil)
        #expect(try await baton.send("GET", "/healthz").status == 200)
    }

    @Test("After a reload an added backend serves, and a removed one serves only running downloads")
    func backendsChange() async throws {
        let content = PatternedContent(size: 16 << 20, seed: 62)
        let (first, second) = (try paced(content), try FaultyOrigin(content))
        defer {
            first.stop()
            second.stop()
        }
        let baton = try await BatonProcess(origins: ["first": first])
        let download = try await begin(baton, first, content)
        let image = try await baton.addImage()
        await #expect(throws: Unexpected.self) { try await baton.addLocations([second.url()], to: image, of: content) }
        try baton.reload {
            $0.replacingOccurrences(of: "  first: {", with: "  second: {").replacingOccurrences(
                of: first.url(""), with: second.url(""))
        }
        await baton.waitForLog { $0.contains { $0.event == "configuration.reloaded" } }
        try await baton.addLocations([second.url()], to: image, of: content)
        #expect(try await baton.download(image, of: content).isComplete)
        await #expect(throws: Unexpected.self) { try await baton.addImage(of: content, at: [first.url()]) }
        let response = try await download.value
        #expect(response.isComplete && response.firstWrongByte == nil, "a running download keeps its backend")
    }

    @Test("An invalid new configuration changes nothing, and every problem is named")
    func aWrongFileChangesNothing() async throws {
        let content = PatternedContent(size: 1 << 20, seed: 63)
        let origin = try FaultyOrigin(content)
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin])
        let image = try await baton.addImage(of: content, at: [origin.url()])
        try baton.reload { $0.replacingOccurrences(of: "driver: http", with: "driver: carrier-pigeon") + "\nnonsense: 1\n" }
        for word in ["carrier-pigeon", "nonsense"] {
            let line = await baton.logged { $0.event == "configuration.reload_failed" && $0["problem"]?.contains(word) == true }
            #expect(line.level == "error")
        }
        #expect(try await baton.download(image, of: content).isComplete)
    }

    @Test("Limits and the log level change with a reload, and keys that need a restart are named")
    func limitsChange() async throws {
        let baton = try await BatonProcess(backends: [:])
        try baton.reload {
            $0.replacingOccurrences(of: "level: info", with: "level: debug").replacingOccurrences(
                of: "stall_timeout: 400ms", with: "stall_timeout: 500ms, memory: 128MiB"
            )
            .replacingOccurrences(of: "scrub_interval: 0s", with: "scrub_interval: 1d") + "server: { max_header_size: 4KiB }\n"
                + "quotas: { images: 1 }\n"
        }
        let warning = await baton.logged { $0.event == "configuration.restart_needed" }
        #expect(warning.fields["keys"] == ["relay.memory", "maintenance"], "\(warning.fields)")
        _ = try await baton.addImage()
        #expect(
            try await baton.send("POST", "/v2/images", headers: ["Content-Type": "application/json"], body: "{}").status == 413)
        #expect(try await baton.send("GET", "/healthz", headers: ["X-Long": String(repeating: "x", count: 8192)]).status == 431)
        #expect(try await baton.send("GET", "/healthz").status == 200)
        try baton.reload { $0.replacingOccurrences(of: "max_header_size: 4KiB", with: "max_header_size: 64KiB") }
        await baton.waitForLog { $0.count { $0.event == "configuration.reloaded" } == 2 }
        #expect(try await baton.send("GET", "/healthz", headers: ["X-Long": String(repeating: "x", count: 8192)]).status == 200)
    }

    @Test("The log level can be raised and lowered with a reload")
    func theLevelChanges() async throws {
        let baton = try await BatonProcess(backends: [:])
        let longHeader = ["X-Long": String(repeating: "x", count: 8192)]
        try baton.reload {
            $0.replacingOccurrences(of: "level: info", with: "level: error") + "server: { max_header_size: 4KiB }\n"
        }
        try await eventually("the new limit of heads") {
            try await baton.send("GET", "/healthz", headers: longHeader).status == 431
        }
        _ = try await baton.send("GET", "/before")
        try baton.reload { $0.replacingOccurrences(of: "level: error", with: "level: info") }
        // Lines are in the order of the requests: if this one is there, the earlier one would be too.
        try await eventually("the line of a request") {
            _ = try await baton.send("GET", "/after")
            return baton.log.contains { $0["path"] == "/after" }
        }
        #expect(!baton.log.contains { $0["path"] == "/before" })
    }

    @Test("A backend whose section changed is a new one after a reload")
    func aBackendThatChanged() async throws {
        let content = PatternedContent(size: 1 << 20, seed: 64)
        let (first, second) = (try FaultyOrigin(content), try FaultyOrigin(content))
        defer {
            first.stop()
            second.stop()
        }
        let baton = try await BatonProcess(origins: ["origin": first])
        try baton.reload { $0.replacingOccurrences(of: first.url(""), with: second.url("")) }
        await baton.waitForLog { $0.contains { $0.event == "configuration.reloaded" } }
        let image = try await baton.addImage(of: content, at: [second.url()])
        let response = try await baton.download(image, of: content)
        #expect(response.isComplete && response.firstWrongByte == nil)
        await #expect(throws: Unexpected.self) { try await baton.addImage(of: content, at: [first.url()]) }
    }

    @Test("Tokens change with a reload, but a server beyond loopback never switches to auth.mode none")
    func tokensChange() async throws {
        let holders = try TokenHolders()
        let baton = try await BatonProcess(
            backends: [:], settings: holders.settings, directory: holders.directory, token: TokenHolders.token(of: "admin"),
            listen: "0.0.0.0:0")
        try holders.directory.write(TokenHolders.line("newcomer", "p admin"), to: "other")
        #expect(try await baton.send("GET", "/v2/images", as: "newcomer").status == 401)
        try baton.reload {
            $0.replacingOccurrences(of: holders.directory.file("tokens"), with: holders.directory.file("other"))
        }
        await baton.waitForLog { $0.contains { $0.event == "configuration.reloaded" } }
        #expect(try await baton.send("GET", "/v2/images", as: "newcomer").status == 200)
        #expect(try await baton.send("GET", "/v2/images", as: "admin").status == 401)
        try baton.reload { $0.replacingOccurrences(of: "mode: tokens", with: "mode: none") }
        await baton.waitForLog { $0.contains { $0.event == "configuration.reload_failed" } }
        #expect(try await TestClient.exchange("GET", "/v2/images", port: baton.port).status == 401)
    }

    @Test("Quotas, allowed origins and the public URL change with a reload")
    func exposureAndQuotasChange() async throws {
        let baton = try await BatonProcess(backends: [:])
        _ = try await baton.addImage()
        let page = ["Origin": "https://console.example"]
        #expect(try await baton.send("GET", "/v2/images", headers: page).status == 403)
        try baton.reload {
            $0 + "quotas: { images: 1 }\n"
                + "server: { cors_origins: [\"https://console.example\"], public_url: \"https://images.example/b\" }\n"
        }
        await baton.waitForLog { $0.contains { $0.event == "configuration.reloaded" } }
        let refused = try await baton.send(
            "POST", "/v2/images", body: #"{"disk_format": "raw", "container_format": "bare"}"#)
        #expect(refused.status == 413, "\(refused.text)")
        let allowed = try await baton.send("GET", "/v2/images", headers: page)
        #expect(allowed.status == 200 && allowed.headers["access-control-allow-origin"] == "https://console.example")
        #expect(try await baton.send("GET", "/versions").text.contains("https://images.example/b/v2/"))
        #expect(baton.log.allSatisfy { $0.event != "configuration.restart_needed" }, "none of these keys needs a restart")
    }

    @Test("Full reads after a reload follow its inspect_format")
    func inspectionChanges() async throws {
        let directory = try TestDirectory()
        let file = try directory.write(String(repeating: "no header", count: 1000), to: "image")
        let baton = try await BatonProcess(
            backends: ["disk": #"driver: file, root: "\#(directory.file(""))""#],
            settings: "uploads: { inspect_format: false }", directory: directory)
        let created = try await baton.send(
            "POST", "/v2/images", body: #"{"disk_format": "qcow2", "container_format": "bare"}"#)
        let image = try #require(created.json["id"] as? String)
        let added = try await baton.send(
            "POST", "/baton/v1/images/\(image)/locations", body: #"{"url": "file://\#(file)"}"#)
        let location = try #require(added.json["id"] as? String, "\(added.text)")
        func wait(for status: String) async throws {
            try await eventually("a location that is \(status)") {
                try await baton.locations(of: image)[0]["status"] as? String == status
            }
        }
        // Without a digest the location is read in full at once.
        try await wait(for: "active")
        try baton.reload { $0.replacingOccurrences(of: "inspect_format: false", with: "inspect_format: true") }
        await baton.waitForLog { $0.contains { $0.event == "configuration.reloaded" } }
        let asked = try await baton.send("POST", "/baton/v1/locations/\(location)/verify")
        #expect([200, 202].contains(asked.status), "\(asked.text)")
        try await wait(for: "quarantined")
    }

    @Test("A reload that hangs does not keep a signal from stopping the server")
    func aHangingReload() async throws {
        let baton = try await BatonProcess(backends: [:])
        // A FIFO without a writer stands in for a file system that hangs.
        let file = baton.directory.file("baton.yaml")
        try FileManager.default.removeItem(atPath: file)
        try #require(mkfifo(file, 0o600) == 0)
        baton.signal(SIGHUP)
        baton.terminate()
        await baton.waitForLog { $0.contains { $0.event == "server.draining" } }
        #expect([0, 1].contains(try await baton.exited()), "the server exits by itself")
    }

    @Test("A server on an inherited socket beyond loopback never switches to auth.mode none")
    func aHandedOverSocket() async throws {
        let socket = try ListeningSocket(isReachable: true)
        let holders = try TokenHolders()
        let baton = try await BatonProcess(
            backends: [:], settings: holders.settings, directory: holders.directory, wrapper: ListeningSocket.wrapper,
            input: socket.handle)
        try baton.reload { $0.replacingOccurrences(of: "mode: tokens", with: "mode: none") }
        await baton.waitForLog {
            $0.contains { $0.event == "configuration.reload_failed" || $0.message.contains("read again") }
        }
        #expect(try await TestClient.exchange("GET", "/v2/images", port: socket.port).status == 401)
    }
}
