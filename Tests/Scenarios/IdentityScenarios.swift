import Access
import FaultyOrigin
import Foundation
import Testing

/// Authentication and roles with the tokens file.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct IdentityScenarios {
    static let content = PatternedContent(size: 300_007, seed: 51)

    /// The routes that a server logs, with the role that each needs.
    private func routes(of baton: BatonProcess) async -> [(method: String, path: String, needs: String)] {
        _ = await baton.logged { $0.message.contains("listening") }
        return baton.log.filter { $0.event == "server.route" }.map { ($0["method"] ?? "", $0["path"] ?? "", $0["needs"] ?? "") }
    }

    @Test("Every route admits exactly the callers with its role")
    func everyRouteAdmitsExactlyTheCallersWithItsRole() async throws {
        let baton = try await TokenHolders().server(logLevel: "debug")
        let routes = await routes(of: baton)
        #expect(routes.count > 100)
        for (method, pattern, needs) in routes {
            #expect(needs != "no row", "\(method) \(pattern) has no row in RoutePolicy")
            let path = pattern.replacingOccurrences(of: "{id}", with: UUID().uuidString.lowercased())
                .replacing(/{[a-z_]+}/, with: "x")
            let stranger = try await TestClient.exchange(method, path, port: baton.port)
            #expect((stranger.status == 401) == (needs != "nothing"), "\(method) \(pattern) by a stranger: \(stranger.status)")
            if needs == "another method" {
                let response = try await baton.send(method, path, as: "admin")
                #expect(response.status == 405 && response.headers["allow"] != nil, "\(method) \(pattern): \(response.status)")
                continue
            }
            for name in TokenHolders.names {
                let response = try await baton.send(method, path, as: name)
                let role = Caller.Role(rawValue: needs)
                let holds = Caller.Role(rawValue: name)?.contained ?? []
                let mayPass = needs == "nothing" || role.map(holds.contains) == true
                #expect(response.status != 401, "\(method) \(pattern) by \(name)")
                #expect((response.status == 403) == !mayPass, "\(method) \(pattern) by \(name): \(response.status)")
            }
        }
    }

    @Test("The table of routes in the documentation matches the server")
    func theDocumentedTableOfRoutesMatchesTheServer() async throws {
        let baton = try await TokenHolders().server(logLevel: "debug")
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/identity.md")
        let rows = try String(contentsOf: file, encoding: .utf8).matches(of: /\| `([A-Z]+) (\/[^`]*)` \| ([a-z]+) \|/)
        let written = Dictionary(uniqueKeysWithValues: rows.map { ("\($0.1) \($0.2)", String($0.3)) })
        var actual: [String: String] = [:]
        for route in await routes(of: baton) where route.needs != "another method" {
            actual["\(route.method) \(route.path)"] = route.needs
        }
        // Every GET route also answers HEAD, and no other route does.
        for (route, needs) in actual where route.hasPrefix("HEAD ") {
            #expect(actual["GET " + route.dropFirst("HEAD ".count)] == needs, "\(route)")
        }
        #expect(actual.count { $0.key.hasPrefix("HEAD ") } == actual.count { $0.key.hasPrefix("GET ") })
        #expect(written == actual.filter { !$0.key.hasPrefix("HEAD ") })
    }

    @Test(
        "A request without a valid token gets 401 and says how to authenticate",
        arguments: [nil, "", "wrong", "hush-admin-5ee", "hush-late-5ee7"])
    func aRequestWithoutAValidTokenGets401(token: String?) async throws {
        let baton = try await TokenHolders().server()
        let response = try await TestClient.exchange(
            "GET", "/v2/images", port: baton.port, headers: token.map { ["X-Auth-Token": $0] } ?? [:])
        #expect(response.status == 401)
        #expect(response.headers["www-authenticate"] == "Bearer realm=\"baton\"")
        #expect(response.headers["x-openstack-request-id"] != nil)
        #expect(response.errorMessage.lowercased().contains("token"))
        if token == TokenHolders.token(of: "late") { #expect(response.errorMessage.contains("expired")) }
        #expect((try await TestClient.exchange("GET", "/nothing/here", port: baton.port)).status == 300)
        // A caller without a token does not learn which routes exist.
        #expect((try await TestClient.exchange("GET", "/v2/nothing", port: baton.port)).status == 401)
        #expect(try await baton.send("GET", "/v2/nothing", as: "nobody").status == 404)
    }

    @Test("A bearer token is accepted, whatever the case of its scheme", arguments: ["Bearer", "bearer", "BEARER"])
    func aBearerTokenIsAccepted(scheme: String)
        async throws
    {
        let baton = try await TokenHolders().server()
        let authorization = ["Authorization": "\(scheme) \(TokenHolders.token(of: "reader"))"]
        #expect(try await baton.send("GET", "/v2/images", headers: authorization).status == 200)
        let basic = ["Authorization": "Basic \(TokenHolders.token(of: "reader"))"]
        #expect(try await baton.send("GET", "/v2/images", headers: basic).status == 401)
    }

    @Test("A reader downloads, and no token reaches the backend or the log")
    func noTokenReachesTheBackendOrTheLog() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let baton = try await TokenHolders().server(backends: ["origin": #"driver: http, url: "\#(origin.url(""))""#])
        let image = try await baton.addImage(of: Self.content, at: [origin.url()])
        // The admin who made it acts for the project p, and so does the reader.
        let response = try await baton.download(
            image, of: Self.content, headers: ["X-Auth-Token": TokenHolders.token(of: "reader")])
        #expect(response.isComplete && response.firstWrongByte == nil)
        #expect(origin.record.requests.allSatisfy { $0["x-auth-token"] == nil && $0["authorization"] == nil })
        #expect(!baton.rawLog.contains("5ee7"), "no token is in the log")
    }

    @Test("A replaced tokens file takes effect without a restart, and a broken one changes nothing")
    func aReplacedTokensFileTakesEffect() async throws {
        let holders = try TokenHolders()
        let baton = try await holders.server()
        #expect(try await baton.send("GET", "/v2/images", as: "newcomer").status == 401)
        try holders.add(TokenHolders.line("newcomer", "p reader"))
        while try await baton.send("GET", "/v2/images", as: "newcomer").status != 200 {}
        try holders.write(TokenHolders.line("newcomer", "p king"))
        // A request causes the server to check the file.
        while !baton.log.contains(where: { $0.event == "tokens.reload_failed" }) {
            #expect(try await baton.send("GET", "/v2/images", as: "newcomer").status == 200)
        }
        let line = baton.log.first { $0.event == "tokens.reload_failed" }
        #expect(line?["level"] == "error" && line?["problem"]?.contains("tokens:1: \"king\" is not a role") == true)
        try holders.write(TokenHolders.line("admin", "p admin"))
        while try await baton.send("GET", "/v2/images", as: "newcomer").status != 401 {}
    }

    @Test("A member attaches locations only where the backend's attach rule allows it")
    func aMemberAttachesOnlyWhereTheRuleAllows() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let holders = try TokenHolders()
        let url = origin.url("")
        let baton = try await holders.server(backends: [
            "open": #"driver: http, url: "\#(url)open/", attach: { role: member, prefix: "uploads/" }"#,
            "closed": #"driver: http, url: "\#(url)closed/""#,
        ])
        let made = try await baton.send(
            "POST", "/v2/images", body: #"{"disk_format": "raw", "container_format": "bare", "owner": "p"}"#)
        let image = try #require(made.json["id"] as? String)
        func attach(_ path: String, as name: String) async throws -> TestClient.Response {
            try await baton.send(
                "POST", "/baton/v1/images/\(image)/locations", as: name,
                body:
                    #"{"url": "\#(url)\#(path)", "size": \#(Self.content.size), "digests": {"sha256": "\#(Self.content.sha256)"}}"#
            )
        }
        for path in ["open/other/x", "open/uploads-not/x", "closed/uploads/x"] {
            let refused = try await attach(path, as: "member")
            #expect(refused.status == 403 && refused.errorMessage.contains("needs the role admin"), "\(path): \(refused.text)")
        }
        let outside = try await attach("elsewhere/x", as: "member")
        #expect(outside.status == 403 && !outside.text.contains("\(origin.port)"), "only admins see the URLs of backends")
        let forAdmin = try await attach("elsewhere/x", as: "admin")
        #expect(forAdmin.status == 403 && forAdmin.text.contains("open/"))
        #expect(try await attach("open/uploads/x", as: "reader").status == 403)
        let stranger = try await attach("open/uploads/x", as: "other")
        #expect(stranger.status == 403 || stranger.status == 404, "the image is another project's")
        #expect(origin.record.requests.isEmpty, "no backend is asked for an unauthorised caller")
        #expect(try await attach("open/uploads/x", as: "member").status == 201)
        #expect(try await attach("closed/x", as: "admin").status == 201)
    }

    @Test("A role that may attach nothing is refused before the body is read")
    func rolesComeBeforeBodies() async throws {
        let holders = try TokenHolders()
        let baton = try await holders.server(backends: [
            "open": #"driver: http, url: "http://127.0.0.1:1/", attach: { role: member, prefix: "uploads/" }"#
        ])
        let made = try await baton.send("POST", "/v2/images", body: #"{"owner": "p", "visibility": "public"}"#)
        let image = try #require(made.json["id"] as? String)
        for path in ["/baton/v1/images/\(image)/locations", "/v2/images/\(image)/locations"] {
            for name in ["reader", "other"] {
                let refused = try await baton.send("POST", path, as: name, body: "no JSON")
                #expect(refused.status == 403, "\(name) \(path): \(refused.text)")
            }
            #expect(try await baton.send("POST", path, as: "member", body: "no JSON").status == 400)
        }
    }

    @Test("The command line says how to authenticate")
    func theCommandLineSaysHowToAuthenticate() async throws {
        let baton = try await TokenHolders().server()
        func run(_ arguments: [String], token: String?) async throws -> BatonCommand.Result {
            try await BatonCommand.run(
                arguments + ["--endpoint", "http://127.0.0.1:\(baton.port)"],
                environment: token.map { ["BATON_TOKEN": $0] } ?? [:])
        }
        let none = try await run(["image", "list"], token: nil)
        #expect(none.status == 1 && none.errors.contains("Set the environment variable BATON_TOKEN"), "\(none.errors)")
        let wrong = try await run(["image", "list"], token: "wrong")
        #expect(wrong.status == 1 && wrong.errors.contains("BATON_TOKEN"), "\(wrong.errors)")
        let reader = try await run(["image", "add", "x"], token: TokenHolders.token(of: "reader"))
        #expect(reader.status == 1 && reader.errors.contains("needs the role member"), "\(reader.errors)")
        #expect(try await run(["image", "list"], token: TokenHolders.token(of: "reader")).status == 0)
        let image = try await baton.addImage()
        let shown = try await run(["image", "show", image], token: TokenHolders.token(of: "reader"))
        #expect(shown.status == 0 && shown.output.contains(image), "\(shown.errors)")
    }

    @Test("The command token makes a token that the server accepts")
    func theCommandTokenMakesAnAcceptedToken() async throws {
        let holders = try TokenHolders()
        let made = try await BatonCommand.run(
            ["token", "carol", "--project", "p", "--role", "member", "--expires", "2099-01-01T00:00:00Z", "--json"])
        let report = try JSONSerialization.jsonObject(with: Data(made.output.utf8)) as? [String: String]
        let (token, line) = (try #require(report?["token"]), try #require(report?["line"]))
        #expect(!line.contains(token))
        try holders.add(line + "\n")
        let baton = try await holders.server()
        #expect(try await baton.send("GET", "/v2/images", headers: ["X-Auth-Token": token]).status == 200)
        let other = try await BatonCommand.run(["token", "carol", "--json"])
        #expect(!other.output.contains(token), "each token is new")
        let wrong = try await BatonCommand.run(["token", "carol", "--role", "king"])
        #expect(wrong.status == 64 && wrong.errors.contains("\"king\" is not a role"))
    }

    @Test("Only a server with authentication may listen beyond loopback")
    func onlyAServerWithAuthenticationListensBeyondLoopback() async throws {
        let holders = try TokenHolders()
        func check(_ auth: String) async throws -> BatonCommand.Result {
            let file = try holders.directory.write("server: { listen: \"0.0.0.0:0\" }\n\(auth)\n", to: "check.yaml")
            return try await BatonCommand.run(["check", "--config", file])
        }
        #expect(try await check(holders.settings).status == 0)
        let open = try await check("auth: { mode: none }")
        #expect(open.status == 1 && open.errors.contains("auth.mode none does not allow"), "\(open.status): \(open.errors)")
        try holders.write("nonsense\n")
        let broken = try await check(holders.settings)
        #expect(broken.status == 1 && broken.errors.contains("tokens:1: a line must be"), "\(broken.errors)")
    }
}
