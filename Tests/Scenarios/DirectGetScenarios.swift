import FaultyOrigin
import Foundation
import Testing

/// `baton get --direct`: the client reads from the locations itself and falls back to the server.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct DirectGetScenarios {
    static let content = PatternedContent(size: 6_000_011, seed: 93)

    /// A server with an image whose locations have all been verified, and downloads of it.
    private struct Setting {
        let baton: BatonProcess
        let image: String
        let file: String

        /// - Parameter places: the URLs of locations by backend, and whether clients may be redirected there; in the order of the ids.
        init(_ places: [(id: String, root: String, url: String, redirects: Bool)], settings: String = "") async throws {
            var backends: [String: String] = [:]
            for place in places {
                backends[place.id] = #"driver: http, url: "\#(place.root)", redirect: \#(place.redirects)"#
            }
            baton = try await BatonProcess(backends: backends, settings: settings)
            image = try await baton.addImage()
            let ids = try await baton.addLocations(places.map(\.url), to: image, of: content)
            for id in ids { try await baton.operate("verify", on: id) }
            try await baton.waitUntilVerified(image)
            for id in ids { try await baton.waitUntil(id, is: "active") }
            file = baton.directory.file("out")
        }

        func get(_ arguments: String...) async throws -> BatonCommand.Result {
            try await BatonCommand.run(
                ["get", image, "-o", file, "--direct", "--json", "--endpoint", "http://127.0.0.1:\(baton.port)"] + arguments)
        }

        /// Whether the file is the image.
        var isExact: Bool {
            get throws { [UInt8](try Data(contentsOf: URL(filePath: file))) == content.bytes(in: 0..<content.size) }
        }
    }

    /// Which source served which bytes, in order: `a 0-999`.
    private static func parts(of result: BatonCommand.Result) throws -> [(from: String, first: Int64, last: Int64)] {
        let report = try #require(
            try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any], "\(result)")
        return (report["parts"] as? [[String: Any]] ?? []).map {
            ($0["from"] as? String ?? "", $0["first"] as? Int64 ?? -1, $0["last"] as? Int64 ?? -1)
        }
    }

    private static func place(
        _ id: String, _ origin: FaultyOrigin, redirects: Bool = true
    ) -> (id: String, root: String, url: String, redirects: Bool) {
        (id, origin.url(""), origin.url(), redirects)
    }

    @Test("All bytes come from the locations, and failover happens in the client")
    func failoverHappensInTheClient() async throws {
        let isServing = Flag()
        let first = try FaultyOrigin(Self.content) { _ in isServing.isSet ? .reset(after: 2_000_000) : .sound }
        let second = try FaultyOrigin(Self.content)
        defer { for origin in [first, second] { origin.stop() } }
        let setting = try await Setting([Self.place("a", first), Self.place("b", second)])
        isServing.set()
        let result = try await setting.get()
        #expect(result.status == 0, "\(result.errors)")
        #expect(try setting.isExact)
        let parts = try Self.parts(of: result)
        #expect(parts.map(\.from) == ["a", "b"])
        #expect(parts.first?.first == 0 && parts.last?.last == Self.content.size - 1)
        #expect(parts.count == 2 && parts[0].last + 1 == parts[1].first)
        #expect(!setting.baton.log.contains { $0.event == "download.finished" }, "the server streamed nothing")
        #expect(second.record.requests.allSatisfy { $0["x-auth-token"] == nil })
    }

    @Test("A location whose every response is short or breaks still serves the whole image", arguments: [false, true])
    func responsesThatAreNotWhole(breaks: Bool) async throws {
        let origin = try FaultyOrigin(Self.content) { _ in breaks ? .close(after: 700_000) : .capped(at: 700_000) }
        defer { origin.stop() }
        let setting = try await Setting([Self.place("a", origin)])
        let result = try await setting.get()
        #expect(result.status == 0, "\(result.errors)")
        #expect(try setting.isExact)
        #expect(try Self.parts(of: result).map(\.from) == ["a"])
    }

    @Test("When nginx is killed in mid-stream, the server continues at the exact byte")
    func theServerContinuesWhereNginxWasKilled() async throws {
        let nginx = try await NginxServer(bytesPerSecond: 2_000_000)
        let other = try FaultyOrigin(Self.content)
        defer { other.stop() }
        let setting = try await Setting([
            ("a", nginx.url(""), try nginx.serve(Self.content), true), Self.place("b", other, redirects: false),
        ])
        async let running = setting.get()
        let part = setting.file + ".\(Self.content.sha256.prefix(16)).part"
        func size() -> Int64 { (try? FileManager.default.attributesOfItem(atPath: part)[.size] as? Int64) ?? 0 }
        try await eventually("a megabyte in the partial file") { size() >= 1_000_000 }
        nginx.kill()
        let result = try await running
        #expect(result.status == 0, "\(result.errors)")
        #expect(try setting.isExact)
        let parts = try Self.parts(of: result)
        #expect(parts.map(\.from) == ["a", "the server's stream"])
        let relay = await setting.baton.relay(of: setting.image)
        let start = try #require(parts.last?.first)
        #expect(relay["served"] == "b \(start)-\(Self.content.size - 1)")
    }

    @Test("An expired direct URL is renewed once")
    func anExpiredURLIsRenewedOnce() async throws {
        let refusals = Flag()
        let origin = try FaultyOrigin(Self.content) { request in
            guard refusals.isSet else { return .sound }
            refusals.set(false)
            return .status(403)
        }
        defer { origin.stop() }
        let setting = try await Setting([Self.place("a", origin)])
        refusals.set()
        let result = try await setting.get()
        #expect(result.status == 0, "\(result.errors)")
        #expect(try setting.isExact)
        #expect(try Self.parts(of: result).map(\.from) == ["a"])
    }

    @Test("When every direct URL is refused, the server streams the image")
    func whenEveryURLIsRefusedTheServerStreams() async throws {
        let isClosed = Flag()
        let closed = try FaultyOrigin(Self.content) { _ in isClosed.isSet ? .status(401) : .sound }
        let other = try FaultyOrigin(Self.content)
        defer { for origin in [closed, other] { origin.stop() } }
        let setting = try await Setting([Self.place("b", closed), Self.place("c", other, redirects: false)])
        isClosed.set()
        let before = closed.record.requests.count
        let result = try await setting.get()
        #expect(result.status == 0, "\(result.errors)")
        #expect(try setting.isExact)
        #expect(try Self.parts(of: result).map(\.from) == ["the server's stream"])
        let asked = closed.record.requests.dropFirst(before)
        #expect(asked.count(where: { $0["user-agent"]?.hasPrefix("baton/") == true }) >= 2)
    }

    @Test("Wrong bytes of a location are dropped, and the server streams verified ones")
    func wrongBytesOfALocationAreDropped() async throws {
        let isWrong = Flag()
        let sound = try FaultyOrigin(Self.content)
        let corrupt = try FaultyOrigin(Self.content) { _ in isWrong.isSet ? .corrupt(at: 3_000_000) : .sound }
        defer { for origin in [sound, corrupt] { origin.stop() } }
        let setting = try await Setting([Self.place("a", sound, redirects: false), Self.place("b", corrupt)])
        isWrong.set()
        let result = try await setting.get()
        #expect(result.status == 0, "\(result.errors)")
        #expect(try setting.isExact)
        #expect(try Self.parts(of: result).map(\.from) == ["the server's stream"])
        #expect(result.output.contains("did not match the digest"))
    }

    @Test("A partial file is resumed where it ends")
    func aPartialFileIsResumedWhereItEnds() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let setting = try await Setting([Self.place("a", origin)])
        try Data(Self.content.bytes(in: 0..<1_500_000)).write(
            to: URL(filePath: setting.file + ".\(Self.content.sha256.prefix(16)).part"))
        let result = try await setting.get("--limit-rate", "16MiB")
        #expect(result.status == 0, "\(result.errors)")
        #expect(try setting.isExact)
        let parts = try Self.parts(of: result)
        #expect(parts.map(\.from) == ["kept from before", "a"] && parts.last?.first == 1_500_000)
        #expect(origin.record.requests.last?.range?.first == 1_500_000)
    }

    @Test("An untrusted caller gets the image from the server, with the reason")
    func anUntrustedCallerGetsTheServersStream() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let baton = try await TokenHolders().server(backends: [
            "a": #"driver: http, url: "\#(origin.url(""))", redirect: true"#
        ])
        let image = try await baton.addImage(of: Self.content, at: [origin.url()])
        let result = try await BatonCommand.run(
            ["get", image, "-o", baton.directory.file("out"), "--direct", "--endpoint", "http://127.0.0.1:\(baton.port)"],
            environment: ["BATON_TOKEN": TokenHolders.token(of: "reader")])
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("the server's stream") && result.output.contains("needs the role trusted"))
    }
}
