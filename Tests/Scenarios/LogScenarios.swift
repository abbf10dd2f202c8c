import FaultyOrigin
import Foundation
import Testing
import Waiting

/// The log as operators read it.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct LogScenarios {
    private static let content = PatternedContent(size: 3_000_017, seed: 81)

    @Test("A server whose log is not read goes on serving and stops when asked")
    func aStuckLogDoesNotStopTheServer() async throws {
        let directory = try TestDirectory()
        // A pipe whose reading end is open and never read.
        let pipe = directory.file("log")
        let script = #"mkfifo \#(pipe); exec 2<>\#(pipe); exec "$0" "$@""#
        let baton = try await BatonProcess(backends: [:], directory: directory, wrapper: ["/bin/bash", "-c", script])
        // Each line repeats the first 1024 bytes of the path: in all several times the capacity of a pipe (64 KiB).
        let path = "/v2/" + String(repeating: "x", count: 1024)
        for _ in 0..<300 { #expect(try await baton.send("GET", path).status == 404) }
        #expect(try await baton.metric("baton_log_lines_dropped_total") == 0, "the lines wait in the queue")
        baton.terminate()
        #expect(try await baton.exited() == 0)
    }

    @Test("Every request has a log line, and its id is in all lines about it")
    func requestsAreLogged() async throws {
        let holders = try TokenHolders()
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let baton = try await holders.server(backends: ["origin": #"driver: http, url: "\#(origin.url(""))""#])
        let image = try await baton.addImage(of: Self.content, at: [origin.url()])
        let response = try await baton.download(image, of: Self.content)
        #expect(response.isComplete)
        let id = try #require(response.headers["x-openstack-request-id"])
        let line = await baton.logged { $0.event == "request.finished" && $0["request"] == id }
        #expect(line["method"] == "GET" && line["path"] == "/v2/images/\(image)/file" && line["status"] == "200")
        #expect(line["bytes"] == "\(Self.content.size)" && line["caller"] == "admin" && line["client"] == "127.0.0.1")
        #expect(line["outcome"] == "finished" && line["failovers"] == "0" && line.fields["backends"] == ["origin"])
        #expect(line["seconds"].flatMap { Double($0) } ?? -1 > 0)
        #expect(baton.log.contains { $0.event == "download.finished" && $0["request"] == id })
        #expect(!baton.rawLog.contains("hb.request.id"))
        #expect(baton.rawLog.contains("\"status\":200") && baton.rawLog.contains("\"bytes\":\(Self.content.size)"))
        let stranger = try await TestClient.exchange("GET", "/v2/images", port: baton.port)
        let refused = await baton.logged {
            $0["request"] == stranger.headers["x-openstack-request-id"] && $0.event == "request.finished"
        }
        #expect(refused["status"] == "401" && refused["caller"] == nil && refused["client"] == "127.0.0.1")
        let time = try #require(line["time"])
        #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil, "\(time)")
    }

    @Test("A request that violates HTTP has a log line as well")
    func refusedRequestsAreLogged() async throws {
        let baton = try await BatonProcess(backends: [:], settings: "server: { max_header_size: 4KiB }")
        let long = try await baton.send("GET", "/healthz", headers: ["X-Long": String(repeating: "x", count: 8192)])
        let coded = try await baton.send("POST", "/v2/images?q=secret", headers: ["Transfer-Encoding": "gzip"])
        for (response, status, method, path) in [(long, "431", nil, nil), (coded, "501", "POST", "/v2/images")] {
            let id = try #require(response.headers["x-openstack-request-id"])
            let line = await baton.logged { $0.event == "request.finished" && $0["request"] == id }
            #expect(line["status"] == status && line["client"] == "127.0.0.1" && line["bytes"] == "\(response.body.count)")
            #expect(line["method"] == method && line["path"] == path)
        }
        #expect(!baton.rawLog.contains("secret"))
    }

    @Test("Every change has a log line that names its caller, and a refused one has none")
    func changesAreLogged() async throws {
        let holders = try TokenHolders()
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let baton = try await holders.server(backends: ["origin": #"driver: http, url: "\#(origin.url(""))""#])
        let image = try await baton.addImage()
        let location = try await baton.addLocations([origin.url()], to: image, of: Self.content)[0]
        let patch =
            #"[{"op": "replace", "path": "/name", "value": "a secret"}, {"op": "add", "path": "/os_distro", "value": "x"}]"#
        let patched = try await baton.send(
            "PATCH", "/v2/images/\(image)", headers: ["Content-Type": "application/openstack-images-v2.1-json-patch"],
            body: patch)
        #expect(patched.status == 200)
        #expect(try await baton.send("POST", "/baton/v1/locations/\(location)/verify", as: "reader").status == 403)
        #expect(try await baton.send("POST", "/baton/v1/locations/\(location)/disable", as: "admin").status == 200)
        #expect(try await baton.send("PUT", "/v2/images/\(image)/tags/x", as: "admin").status == 204)
        #expect(try await baton.send("DELETE", "/v2/images/\(image)", as: "admin").status == 204)
        let actions: Set = [
            "POST /v2/images", "POST /baton/v1/images/{id}/locations", "PATCH /v2/images/{id}",
            "POST /baton/v1/locations/{id}/disable", "PUT /v2/images/{id}/tags/{tag}", "DELETE /v2/images/{id}",
        ]
        await baton.waitForLog { $0.count { $0.event == "audit.change" } == actions.count }
        let changes = baton.log.filter { $0.event == "audit.change" }
        #expect(Set(changes.compactMap { $0["action"] }) == actions)
        #expect(changes.allSatisfy { $0["caller"] == "admin" && $0["project"] == "p" && $0["client"] == "127.0.0.1" })
        #expect(changes.allSatisfy { $0["request"] != nil })
        func change(_ action: String) -> BatonProcess.LogRecord? { changes.first { $0["action"] == action } }
        #expect(change("POST /v2/images")?["created"]?.hasSuffix(image) == true)
        #expect(change("POST /baton/v1/locations/{id}/disable")?["path"]?.contains(location) == true)
        #expect(change("PATCH /v2/images/{id}")?.fields["changes"] == ["replace name", "add os_distro"])
        #expect(!baton.rawLog.contains("a secret"))
    }

    @Test("Start and stop are logged, and level warn hides notices")
    func startAndStopAreLogged() async throws {
        let baton = try await BatonProcess(backends: ["disk": #"driver: file, root: "/tmp""#])
        let start = await baton.logged { $0.event == "server.started" }
        #expect(start["version"] != nil && start["catalog"]?.hasSuffix("catalog.sqlite") == true && start["auth"] == "none")
        #expect(start["listen"] == "http://127.0.0.1:\(baton.port)" && start.fields["backends"] == ["disk (file)"])
        baton.terminate()
        #expect(try await baton.exited() == 0)
        _ = await baton.logged { $0.event == "server.draining" && $0["signal"] == "SIGTERM" }
        _ = await baton.logged { $0.event == "server.stopped" }
        let quiet = try await BatonProcess(backends: [:], logLevel: "warn")
        _ = try await quiet.send("GET", "/healthz")
        quiet.terminate()
        #expect(try await quiet.exited() == 0)
        #expect(quiet.log.allSatisfy { $0.level != "info" && $0.level != "notice" && $0.level != "debug" })
    }

    @Test("A stall and a failover are logged, and their bytes counted, while the download runs")
    func incidentsAreLoggedWhenTheyHappen() async throws {
        let content = PatternedContent(size: 24 << 20, seed: 82)
        let stalling = try FaultyOrigin(content) { $0.isProbe ? .sound : .stall(after: 5_000_000) }
        let slow = try FaultyOrigin(content) { $0.isProbe ? .sound : .sound.paced(2 << 20) }
        defer {
            stalling.stop()
            slow.stop()
        }
        let baton = try await BatonProcess(
            origins: ["stalling": stalling, "slow": slow],
            settings: "relay: { connect_timeout: 20s, stall_timeout: 1s, give_up_after: 2m, slow_factor: 0 }")
        let image = try await baton.addImage(of: content, at: [stalling.url(), slow.url()])
        let download = Task { try await baton.download(image, of: content) }
        let failure = await baton.logged { $0.event == "location.failed" }
        #expect(failure.level == "warning" && failure["image"] == image && failure["backend"] == "stalling")
        #expect(failure["reason"] == "stall" && failure["location"] != nil && failure["request"] != nil)
        #expect(failure["offset"].flatMap { Int64($0) } ?? 0 > 0)
        let move = await baton.logged { $0.event == "relay.failover" }
        #expect(move["backend"] == "slow" && move["from_backend"] == "stalling" && move["offset"] == failure["offset"])
        try await eventually("bytes of both backends") {
            let page = String(decoding: try await baton.send("GET", "/metrics").body, as: UTF8.self)
            let bytes = page.split(separator: "\n").filter { $0.hasPrefix("baton_relay_bytes_total{") }.joined()
            return bytes.contains(#"backend="slow""#) && bytes.contains(#"backend="stalling""#)
        }
        #expect(!baton.log.contains { $0.event == "download.finished" }, "the download still runs")
        #expect(try await download.value.isComplete)
    }

    @Test("The log line of a refused download has the bytes of the error, not of the image")
    func refusedDownloads() async throws {
        let origin = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .status(500) }
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin])
        let image = try await baton.addImage(of: Self.content, at: [origin.url()])
        let refused = try await baton.send("GET", "/v2/images/\(image)/file")
        let line = await baton.logged { $0.event == "request.finished" && $0["outcome"] == "refused" }
        #expect(refused.status == 503 && line["status"] == "503" && line["bytes"] == "\(refused.body.count)")
    }

    @Test("A digest mismatch is logged when it is found")
    func aMismatchIsLoggedWhenItHappens() async throws {
        let wrong = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .corrupt(at: 100) }
        let sound = try FaultyOrigin(Self.content)
        defer {
            wrong.stop()
            sound.stop()
        }
        let baton = try await BatonProcess(origins: ["wrong": wrong, "sound": sound])
        let image = try await baton.addImage(of: Self.content, at: [wrong.url(), sound.url()])
        _ = try await baton.download(image, of: Self.content)
        let line = await baton.logged { $0["reason"] == "digest-mismatch" && $0.level == "warning" }
        #expect(line["image"] == image && line["backend"] == "wrong" && line["offset"] != nil)
    }

    @Test("The reason of a pending location is in the log, lists, explain, its history and the refusal")
    func whyALocationIsPending() async throws {
        let origin = try FaultyOrigin(Self.content) { _ in .status(404) }
        defer { origin.stop() }
        let baton = try await BatonProcess(
            origins: ["origin": origin], settings: "maintenance: { interval: 100ms, scrub_interval: 0s }")
        let image = try await baton.addImage()
        let location = try await baton.addLocations([origin.url()], to: image, of: Self.content)[0]
        let line = await baton.logged { $0.event == "location.probe_failed" }
        #expect(
            line.level == "warning" && line["location"] == location && line["reason"] == "missing"
                && line["backend"] == "origin")
        await origin.waitUntil { $0.requests.count >= 4 }
        #expect((try await baton.locations(of: image)[0]["problem"] as? String)?.hasPrefix("missing: ") == true)
        let explained = try await baton.send("GET", "/baton/v1/images/\(image)/explain")
        #expect(explained.text.contains("a probe failed: missing"))
        let history = try await baton.send("GET", "/baton/v1/locations/\(location)/history")
        #expect(
            history.text.components(separatedBy: "probe_failed").count == 2, "once, however often it is probed: \(history.text)"
        )
        let refused = try await baton.send("GET", "/v2/images/\(image)/file")
        #expect(refused.status == 503 && refused.text.contains(#""cause":"missing""#), "\(refused.text)")
        let id = try #require(refused.headers["x-openstack-request-id"])
        let access = await baton.logged { $0.event == "request.finished" && $0["request"] == id }
        #expect(access["bytes"] == "\(refused.body.count)")
        let table = try await BatonCommand.run(
            ["location", "list", image, "--endpoint", "http://127.0.0.1:\(baton.port)"])
        #expect(table.output.contains("pending (missing)"), "\(table.output)")
    }
}
