import FaultyOrigin
import Foundation
import Testing

/// The rules of HTTP/1 that hold for every request.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct HTTPRulesScenarios {
    /// Sends a text on a new connection and reads every response until the server closes the connection.
    private func exchange(_ text: String, _ port: Int, endsSending: Bool = false) async throws -> [TestClient.Response] {
        try await onOwnThread {
            let client = try TestClient(port: port, timeout: 120)
            try client.sendRaw(text)
            if endsSending { client.endSending() }
            var answers: [TestClient.Response] = []
            while true {
                var answer = client.receiveHead()
                if answer.status == 0 {
                    if answer.isTimedOut { answers.append(answer) }
                    return answers
                }
                if answer.status >= 200, answer.status != 204 { client.receiveBody(&answer) }
                answers.append(answer)
            }
        }
    }

    /// A server whose limits close no connection while a test waits.
    private func server(_ origins: [String: FaultyOrigin] = [:], _ more: String = "") async throws -> BatonProcess {
        try await BatonProcess(origins: origins, settings: "server: { idle_timeout: 1h\(more) }")
    }

    @Test("An HTTP/1.0 connection closes after its response", arguments: ["/healthz", "/v2/images", "/nowhere"])
    func oldClients(path: String) async throws {
        let baton = try await server()
        let answers = try await exchange("GET \(path) HTTP/1.0\r\n\r\n", baton.port)
        #expect(answers.count == 1 && answers[0].isComplete && answers[0].headers["connection"] == "close")
    }

    @Test(
        "A body with malformed framing is answered with 400",
        arguments: ["zz\r\n", "5\r\n{}\r\n0\r\n\r\n", "2\r\n{}xx\r\n"])
    func malformedChunks(chunks: String) async throws {
        let baton = try await server()
        let answers = try await exchange(
            "POST /v2/images HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + "Transfer-Encoding: chunked\r\n\r\n\(chunks)", baton.port)
        #expect(answers.map(\.status) == [400])
    }

    @Test("A client that sends Expect: 100-continue is told at once whether to send its body")
    func expectations() async throws {
        let baton = try await server()
        let body = #"{"name": "x"}"#
        let head =
            "Host: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
            + "Content-Length: \(body.utf8.count)\r\n"
        let port = baton.port
        let (first, second) = try await onOwnThread {
            let client = try TestClient(port: port, timeout: 120)
            try client.sendRaw("POST /v2/images HTTP/1.1\r\n\(head)\r\n")
            let first = client.receiveHead()
            try client.sendRaw(body)
            return (first, client.receiveHead())
        }
        #expect(first.status == 100 && second.status == 201)
        // The server will not read the body: the final response comes at once, and the connection closes.
        let refused = try await exchange("POST /nowhere HTTP/1.1\r\n\(head)\r\n", baton.port)
        #expect(refused.map(\.status) == [300])
        let image = try await baton.addImage()
        let conflict = try await exchange(
            "PUT /v2/images/\(image)/file HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\n"
                + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n", baton.port)
        #expect(conflict.map(\.status) == [403])
        let tooLong = try await exchange(
            "POST /v2/images HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
                + "Content-Length: 999999999\r\n\r\n", baton.port)
        #expect(tooLong.map(\.status) == [413])
    }

    @Test("A client that closes its sending side after the request gets the whole response")
    func halfClosedClients() async throws {
        let content = PatternedContent(size: 20_000_003, seed: 811)
        let origin = try FaultyOrigin(content)
        defer { origin.stop() }
        let baton = try await server(["origin": origin])
        let image = try await baton.addImage(of: content, at: [origin.url()])
        let port = baton.port
        let response = try await onOwnThread {
            let client = try TestClient(port: port, timeout: 120)
            try client.send("GET", "/v2/images/\(image)/file")
            client.endSending()
            var response = client.receiveHead()
            client.receiveBody(&response, expected: (content, 0))
            return response
        }
        #expect(response.status == 200 && response.isComplete && response.firstWrongByte == nil)
        let list = try await exchange("GET /v2/images HTTP/1.1\r\nHost: localhost\r\n\r\n", baton.port, endsSending: true)
        #expect(list.map(\.status) == [200] && list.allSatisfy(\.isComplete))
        #expect(try await exchange("GET /v2/im", baton.port, endsSending: true).allSatisfy { $0.status == 400 })
    }

    @Test("HEAD is answered wherever GET is, without a body")
    func head() async throws {
        let baton = try await server()
        let image = try await baton.addImage()
        let next = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        for path in [
            "/", "/versions", "/healthz", "/readyz", "/metrics", "/v2/images", "/v2/images/\(image)", "/v2/schemas/image",
        ] {
            let got = try await baton.send("GET", path)
            // If the first response had a body, the second would begin inside it.
            let answers = try await exchange(
                "HEAD \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n\(next)", baton.port, skipsFirstBody: true)
            #expect(answers.map(\.status) == [got.status, 200], "\(path)")
            #expect(answers.first?.headers["content-type"] == got.headers["content-type"], "\(path)")
        }
        let lost = try await exchange(
            "HEAD /v2/images/none/file HTTP/1.1\r\nHost: localhost\r\n\r\n\(next)", baton.port, skipsFirstBody: true)
        #expect(lost.map(\.status) == [404, 200])
    }

    /// As above, for a first response that has a Content-Length and no body.
    private func exchange(_ text: String, _ port: Int, skipsFirstBody: Bool) async throws -> [TestClient.Response] {
        try await onOwnThread {
            let client = try TestClient(port: port, timeout: 120)
            try client.sendRaw(text)
            let first = client.receiveHead()
            var second = client.receiveHead()
            client.receiveBody(&second)
            return [first, second]
        }
    }

    @Test("A download is refused when If-Match names another ETag")
    func preconditions() async throws {
        let content = PatternedContent(size: 100_003, seed: 812)
        let origin = try FaultyOrigin(content)
        defer { origin.stop() }
        let baton = try await server(["origin": origin])
        let image = try await baton.addImage(of: content, at: [origin.url()])
        let tag = "\"sha256-\(content.sha256)\""
        for method in ["GET", "HEAD"] {
            for (field, status) in [(tag, 200), ("*", 200), ("\"x\", \(tag)", 200), ("W/\(tag)", 412), ("\"x\"", 412)] {
                let answer = try await baton.send(method, "/v2/images/\(image)/file", headers: ["If-Match": field])
                #expect(answer.status == status, "\(method) \(field)")
            }
        }
        let both = try await baton.send(
            "GET", "/v2/images/\(image)/file", headers: ["If-Match": "\"x\"", "If-None-Match": tag, "Range": "bytes=0-1"])
        #expect(both.status == 412)
    }

    @Test("Only origins in server.cors_origins get CORS headers")
    func crossOrigin() async throws {
        let closed = try await server()
        let baton = try await server([:], #", cors_origins: ["https://console.example"]"#)
        let asking = ["Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "x-auth-token, content-type"]
        let listed = ["Origin": "https://console.example"]
        let preflight = try await baton.send("OPTIONS", "/v2/images", headers: asking.merging(listed) { $1 })
        #expect(preflight.status == 204)
        #expect(preflight.headers["access-control-allow-origin"] == "https://console.example")
        #expect(preflight.headers["access-control-allow-headers"] == "x-auth-token, content-type")
        #expect(preflight.headers["access-control-allow-methods"]?.contains("PATCH") == true)
        for path in ["/v2/images", "/v2/images/none"] {
            let answer = try await baton.send("GET", path, headers: listed)
            #expect(answer.headers["access-control-allow-origin"] == "https://console.example")
            #expect(answer.headers["vary"]?.contains("Origin") == true)
        }
        for (server, origin) in [(baton, "https://evil.example"), (baton, "null"), (closed, "https://console.example")] {
            for (method, fields) in [("OPTIONS", asking), ("GET", [:])] {
                let answer = try await server.send(method, "/v2/images", headers: fields.merging(["Origin": origin]) { $1 })
                #expect(answer.headers["access-control-allow-origin"] == nil, "\(origin)")
            }
        }
    }
}
