import FaultyOrigin
import Foundation
import Glibc
import Synchronization
import Testing
import Waiting

/// How a server stops, and how the next one takes over.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct DrainScenarios {
    @Test("A second signal ends a drain at once", arguments: [SIGTERM, SIGINT])
    func aSecondSignalEndsTheDrain(number: Int32) async throws {
        let content = PatternedContent(size: 64 << 20, seed: 71)
        let origin = try FaultyOrigin(content) { $0.isProbe ? .sound : .sound.paced(1 << 20) }
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin])
        let image = try await baton.addImage(of: content, at: [origin.url()])
        let download = Task { try await baton.download(image, of: content) }
        await origin.waitUntil { $0.bodyBytesSent > 1 << 20 }
        baton.signal(SIGTERM)
        await baton.waitForLog { $0.contains { $0.event == "server.draining" } }
        baton.signal(number)
        #expect(try await baton.exited() == 0)
        let response = try await download.value
        #expect(!response.isComplete && response.firstWrongByte == nil)
        _ = await baton.logged { $0.event == "server.stopped" }
        #expect(!baton.log.contains { $0.level == "error" }, "nothing went wrong: \(baton.rawLog)")
    }

    @Test("During drain_delay the server is not ready, and still serves requests")
    func theDelayLetsLoadBalancersNotice() async throws {
        let baton = try await BatonProcess(
            backends: ["disk": #"driver: file, root: "/tmp""#], settings: "server: { drain_delay: 1h }")
        #expect(try await baton.send("GET", "/readyz").status == 200)
        baton.terminate()
        await baton.waitForLog { $0.contains { $0.event == "server.draining" } }
        // The log line is written just before the state changes.
        try await eventually("a server that is not ready") {
            let ready = try await baton.send("GET", "/readyz")
            return ready.status == 503 && ready.headers["connection"] == "close"
        }
        #expect(try await baton.send("GET", "/healthz").status == 200)
        let image = try await baton.addImage()
        // Background reads are left to the next server from now on.
        let place = #"{"url": "file:///tmp/nothing", "validation_data": {}}"#
        let imported = try await baton.send("POST", "/v2/images/\(image)/locations", body: place)
        #expect(imported.status == 503 && imported.headers["retry-after"] == "1", "\(imported.text)")
        #expect(try await baton.send("GET", "/v2/images/\(image)").json["status"] as? String == "queued")
        baton.terminate()
        #expect(try await baton.exited() == 0)
    }

    @Test("A drain ends after drain_timeout")
    func aDrainHasALimit() async throws {
        let content = PatternedContent(size: 64 << 20, seed: 72)
        let origin = try FaultyOrigin(content) { $0.isProbe ? .sound : .sound.paced(1 << 20) }
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin], settings: "server: { drain_timeout: 1s }")
        let image = try await baton.addImage(of: content, at: [origin.url()])
        let download = Task { try await baton.download(image, of: content) }
        await origin.waitUntil { $0.bodyBytesSent > 1 << 20 }
        baton.terminate()
        #expect(try await baton.exited() == 0)
        await baton.waitForLog { $0.contains { $0.event == "server.drain_timeout" } }
        #expect(try await !download.value.isComplete)
    }

    /// The results of the clients during a takeover.
    private final class Tally: Sendable {
        struct Counts {
            var answered = 0
            var failures: [String] = []
            var isOver = false
        }
        let counts = Mutex(Counts())
    }

    @Test("Fifty clients that keep connecting are never refused while servers replace each other")
    func noClientIsRefusedDuringATakeover() async throws {
        let socket = try ListeningSocket()
        let directory = try TestDirectory()
        func start() async throws -> BatonProcess {
            try await BatonProcess(
                backends: [:], directory: directory, wrapper: ListeningSocket.wrapper, input: socket.handle)
        }
        var server = try await start()
        let port = socket.port
        #expect(server.port == port)
        let tally = Tally()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask { try await onOwnThread { Self.connectUntilOver(port, tally) } }
            }
            for round in 1...3 {
                let before = tally.counts.withLock { $0.answered }
                server.terminate()
                let next = try await start()
                #expect(try await server.exited() == 0)
                server = next
                // The new server serves all of them for a while.
                try await eventually("200 more answers") { tally.counts.withLock { $0.answered } >= before + 200 }
                #expect(tally.counts.withLock { $0.failures } == [], "round \(round)")
            }
            tally.counts.withLock { $0.isOver = true }
            try await group.waitForAll()
        }
        #expect(tally.counts.withLock { $0.failures } == [])
    }

    private static func connectUntilOver(_ port: Int, _ tally: Tally) {
        while !tally.counts.withLock({ $0.isOver }) {
            var problem: String?
            do {
                let client = try TestClient(port: port, timeout: 60)
                try client.send("GET", "/healthz")
                var response = client.receiveHead()
                client.receiveBody(&response)
                if response.status != 200 || !response.isComplete { problem = "status \(response.status)" }
            } catch {
                problem = "\(error)"
            }
            tally.counts.withLock { counts in
                counts.answered += 1
                if let problem { counts.failures.append(problem) }
            }
        }
    }

    @Test("With auth.mode none, an inherited socket that is not on loopback is refused")
    func anInheritedSocketMustFitTheAuthMode() async throws {
        let directory = try TestDirectory()
        let file = try directory.write("catalog: \"sqlite:\(directory.file("c.sqlite"))\"\n", to: "baton.yaml")
        let script = """
            import os, socket, sys
            s = socket.socket(); s.bind(("0.0.0.0", 0)); s.listen(); os.dup2(s.fileno(), 3); os.set_inheritable(3, True)
            os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid())); os.execv(sys.argv[1], sys.argv[1:])
            """
        let result = try await BatonCommand.run(
            ["-c", script, BatonCommand.path, "serve", "--config", file], program: "/usr/bin/python3")
        #expect(result.status == 1)
        #expect(result.errors.contains("auth.mode none does not allow"), "\(result.errors)")
    }

    @Test("The service manager is notified of start, reload, liveness and stop")
    func theServiceManagerIsNotified() async throws {
        let directory = try TestDirectory()
        let socket = try NotifySocket()
        let baton = try await BatonProcess(
            backends: [:], directory: directory,
            environment: ["NOTIFY_SOCKET": socket.path, "WATCHDOG_USEC": "300000"])
        #expect(try await socket.message("READY=1")?.contains("STATUS=Serving at http://127.0.0.1:\(baton.port)") == true)
        #expect(try await socket.message("WATCHDOG=1") != nil)
        baton.signal(SIGHUP)
        #expect(try await socket.message("RELOADING=1")?.contains("MONOTONIC_USEC=") == true)
        #expect(try await socket.message("READY=1") != nil)
        #expect(try await socket.message("WATCHDOG=1") != nil, "the second watchdog message needs an answer from every loop")
        baton.terminate()
        #expect(try await socket.message("STOPPING=1") != nil)
        #expect(try await baton.exited() == 0)
    }
}
