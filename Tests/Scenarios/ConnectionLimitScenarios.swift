import FaultyOrigin
import Foundation
import Testing

/// Clients that send too much or too slowly, or read nothing.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ConnectionLimitScenarios {
    /// Sends one request, its text as given, and receives the response.
    private func exchange(_ text: String, _ port: Int) async throws -> TestClient.Response {
        try await onOwnThread {
            let client = try TestClient(port: port)
            // The server may close the connection before all of it is sent.
            try? client.sendRaw(text)
            var response = client.receiveHead()
            client.receiveBody(&response)
            return response
        }
    }

    @Test(
        "A request head of 1 MiB is refused, and the server goes on",
        arguments: [
            "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: \(String(repeating: "x", count: 1 << 20))\r\n\r\n",
            "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\((0..<90_000).map { "X-\($0): y\r\n" }.joined())\r\n",
            "GET /\(String(repeating: "x", count: 1 << 20)) HTTP/1.1\r\nHost: localhost\r\n\r\n",
        ])
    func aHeadOfAMebibyteIsRefusedAndTheServerGoesOn(text: String) async throws {
        let baton = try await BatonProcess(backends: [:])
        let response = try await exchange(text, baton.port)
        #expect(response.status == 431)
        #expect(response.errorMessage.contains("server.max_header_size"), "\(response.text)")
        #expect(try await baton.send("GET", "/healthz").status == 200)
    }

    @Test("The size of a request head is limited by server.max_header_size")
    func theSizeOfAHeadIsLimited() async throws {
        let baton = try await BatonProcess(backends: [:], settings: "server: { max_header_size: 4KiB }")
        func request(_ count: Int) -> String {
            "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: \(String(repeating: "x", count: count))\r\n\r\n"
        }
        #expect(try await exchange(request(3000), baton.port).status == 200)
        #expect(try await exchange(request(5000), baton.port).status == 431)
    }

    @Test("A request head that trickles in is cut after header_timeout")
    func aHeadThatTricklesInIsCut() async throws {
        let baton = try await BatonProcess(
            backends: [:], settings: "server: { header_timeout: 500ms, idle_timeout: 1h }")
        let port = baton.port
        // Each byte comes well before the timeout, and the head never ends.
        try await onOwnThread {
            let client = try TestClient(port: port)
            try client.sendRaw("GET /healthz HTTP/1.1\r\nX-Slow: ")
            try eventuallyOnThread("the server to close the connection") {
                usleep(20_000)
                return (try? client.sendRaw("x")) == nil
            }
        }
        #expect(try await baton.send("GET", "/healthz").status == 200)
    }

    @Test("The second head of a connection has the same timeout")
    func theSecondHeadOfAConnectionHasTheSameTimeout() async throws {
        let baton = try await BatonProcess(
            backends: [:], settings: "server: { header_timeout: 500ms, idle_timeout: 1h }")
        let port = baton.port
        let (first, second) = try await onOwnThread {
            let client = try TestClient(port: port)
            try client.sendRaw("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            var first = client.receiveHead()
            client.receiveBody(&first)
            try client.sendRaw("GET /healthz HTTP/1.1\r\nHost: ")
            return (first, client.receiveHead())  // returns when the server closes the connection
        }
        #expect(first.status == 200)
        #expect(second.status == 0)
    }

    @Test("Half a request head that arrives during a download does not end it")
    func halfAHeadDuringADownloadDoesNotEndIt() async throws {
        let content = PatternedContent(size: 8_000_009, seed: 95)
        let origin = try FaultyOrigin(content) { $0.isProbe ? .sound : .sound.paced(4_000_000) }
        defer { origin.stop() }
        let baton = try await BatonProcess(
            origins: ["origin": origin], settings: "server: { header_timeout: 100ms, idle_timeout: 1h }")
        let image = try await baton.addImage(of: content, at: [origin.url()])
        let port = baton.port
        let response = try await onOwnThread {
            let client = try TestClient(port: port)
            try client.sendRaw("GET /v2/images/\(image)/file HTTP/1.1\r\nHost: localhost\r\n\r\nGET /healthz HTTP/1.1\r\n")
            var response = client.receiveHead()
            client.receiveBody(&response, upTo: 1_000_000, expected: (content, 0))
            try client.sendRaw("Host: ")
            client.receiveBody(&response, expected: (content, 0))
            return response
        }
        #expect(response.isComplete && response.firstWrongByte == nil)
    }

    @Test("An idle connection is closed", arguments: ["", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"])
    func anIdleConnectionIsClosed(before: String) async throws {
        let baton = try await BatonProcess(
            backends: [:], settings: "server: { header_timeout: 10m, idle_timeout: 1s }")
        let port = baton.port
        let last = try await onOwnThread {
            let client = try TestClient(port: port)
            if !before.isEmpty {
                try client.sendRaw(before)
                var response = client.receiveHead()
                client.receiveBody(&response)
            }
            return client.receiveHead()  // returns when the server closes the connection
        }
        #expect(last.status == 0)
    }

    @Test("The idle timeout cuts a head that stops halfway")
    func theIdleTimeoutCutsAHeadThatStopsHalfway() async throws {
        let baton = try await BatonProcess(
            backends: [:], settings: "server: { header_timeout: 10m, idle_timeout: 1s }")
        let port = baton.port
        let response = try await onOwnThread {
            let client = try TestClient(port: port)
            try client.sendRaw("GET /healthz HTTP/1.1\r\nHost: ")
            return client.receiveHead()
        }
        #expect(response.status == 0)
    }

    @Test("A client that does not read a long list is cut")
    func aClientThatDoesNotReadALongListIsCut() async throws {
        let baton = try await BatonProcess(backends: [:], settings: "relay: { client_stall_timeout: 500ms }")
        let long = String(repeating: "x", count: 200)
        for number in 0..<50 {
            let body = #"{"name": "\#(number)", "disk_format": "raw", "container_format": "bare", "about": "\#(long)"}"#
            #expect(try await baton.send("POST", "/v2/images", body: body).status == 201)
        }
        let port = baton.port
        // The responses do not fit into the socket's buffers and are not read: sending blocks when the server no longer reads
        // requests, and fails when it closes the connection. The loop waits for that.
        try await onOwnThread {
            let client = try TestClient(port: port, receiveBuffer: 4096)
            let request = "GET /v2/images?limit=50 HTTP/1.1\r\nHost: localhost\r\n\r\n"
            while (try? client.sendRaw(request)) != nil {}
        }
        #expect(try await baton.send("GET", "/healthz").status == 200)
    }
}
