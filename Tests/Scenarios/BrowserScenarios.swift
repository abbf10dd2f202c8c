import Foundation
import Testing

/// Requests from web pages that are open in a browser on the server's machine.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct BrowserScenarios {
    static let paths = ["/", "/versions", "/healthz", "/readyz", "/metrics", "/v2/images", "/baton/v1/backends", "/nowhere"]

    private let image = #"{"name": "planted"}"#

    @Test("Every route refuses a foreign Host name, even one that resolves to loopback", arguments: paths)
    func rebinding(path: String) async throws {
        let baton = try await BatonProcess(backends: [:])
        for host in ["evil.example", "evil.example:\(baton.port)", "127.0.0.1.evil.example"] {
            let answer = try await baton.send("GET", path, headers: ["Host": host])
            #expect(answer.status == 403, "\(host)")
            #expect(answer.errorMessage.contains("auth.mode none"))
        }
        for host in ["localhost:\(baton.port)", "127.0.0.1:\(baton.port)", "[::1]:\(baton.port)"] {
            #expect(try await baton.send("GET", path, headers: ["Host": host]).status != 403, "\(host)")
        }
    }

    @Test("A page of another origin can neither read nor change anything")
    func otherOrigins() async throws {
        let baton = try await BatonProcess(backends: [:])
        let host = "localhost:\(baton.port)"
        for fields in [
            ["Origin": "http://evil.example"], ["Origin": "null"], ["Origin": "http://localhost:1"],
            ["Sec-Fetch-Site": "cross-site"], ["Sec-Fetch-Site": "same-site"],
        ] {
            for type in ["text/plain", "application/json"] {
                let headers = fields.merging(["Host": host, "Content-Type": type]) { $1 }
                #expect(try await baton.send("POST", "/v2/images", headers: headers, body: image).status == 403, "\(fields)")
                #expect(try await baton.send("GET", "/healthz", headers: headers).status == 403, "\(fields)")
            }
        }
        let own = ["Host": host, "Origin": "http://\(host)", "Sec-Fetch-Site": "same-origin"]
        #expect(try await baton.send("GET", "/v2/images", headers: own).status == 200)
        #expect(try await baton.send("GET", "/v2/images").text.contains("planted") == false)
    }

    @Test("A body is read as JSON only if its Content-Type says JSON, with or without tokens", arguments: [false, true])
    func mediaTypes(withTokens: Bool) async throws {
        let baton = try await withTokens ? TokenHolders().server() : BatonProcess(backends: [:])
        let id = try await baton.addImage()
        for (method, path, body) in [
            ("POST", "/v2/images", image), ("POST", "/v2/images/\(id)/members", #"{"member": "x"}"#),
            ("POST", "/v2/images/\(id)/locations", #"{"url": "http://x/"}"#),
            ("POST", "/baton/v1/images/\(id)/locations", #"{"url": "http://x/"}"#),
        ] {
            for type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "text/json"]
            {
                let answer = try await baton.send(method, path, headers: ["Content-Type": type], body: body)
                #expect(answer.status == 415, "\(path) \(type)")
            }
        }
        for type in ["application/json", "Application/JSON; charset=utf-8", "application/vnd.x+json"] {
            #expect(try await baton.send("POST", "/v2/images", headers: ["Content-Type": type], body: image).status == 201)
        }
    }

    @Test("A server with authentication accepts any Host name and origin")
    func withTokens() async throws {
        let baton = try await TokenHolders().server()
        let fields = ["Host": "images.example", "Origin": "https://console.example", "Sec-Fetch-Site": "cross-site"]
        #expect(try await baton.send("GET", "/v2/images", headers: fields).status == 200)
    }
}
