import FaultyOrigin
import Foundation
import ImageModel
import Testing

/// The life cycle of a location as operators see it.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct LifecycleScenarios {
    static let content = PatternedContent(size: 3_000_017, seed: 51)

    @Test("A location of unknown content serves once it has been read in full")
    func aLocationOfUnknownContentServesAfterAFullRead() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin])
        let image = try await baton.addImage()
        let location = try await baton.addUnknownLocation(origin.url(), to: image)
        try await baton.waitUntil(location, is: "active")
        let record = try await baton.location(location)
        #expect(record["size"] as? Int64 == Self.content.size)
        #expect(record["computed"] as? [String] == ["md5", "sha256", "sha512"])
        #expect((record["digests"] as? [String: String])?["md5"] == Self.content.digest(.md5))
        #expect(try await baton.events(of: location) == ["registered", "verify", "verified", "matched"])
        let response = try await baton.download(image, of: Self.content)
        #expect(response.isComplete && response.firstWrongByte == nil)
        #expect(response.headers["etag"] == "\"sha256-\(Self.content.sha256)\"")
    }

    @Test("An image whose only location is being verified gets 503, not 204")
    func anImageThatIsBeingVerifiedGets503() async throws {
        let origin = try FaultyOrigin(Self.content) { _ in .stall(after: 0) }
        defer { origin.stop() }
        let baton = try await BatonProcess(
            origins: ["origin": origin], settings: "relay: { slow_factor: 0, stall_timeout: 30s }")
        let image = try await baton.addImage()
        let location = try await baton.addUnknownLocation(origin.url(), to: image)
        try await baton.waitUntil(location, is: "verifying")
        let response = try await baton.send("GET", "/v2/images/\(image)/file")
        #expect(response.status == 503)
        #expect(response.errorMessage.contains("verifying"))
    }

    @Test("With activation: verify, a location serves only after its bytes have matched", arguments: [false, true])
    func withActivationVerifyOnlyAMatchingLocationServes(isSound: Bool) async throws {
        let origin = try FaultyOrigin(Self.content) { _ in isSound ? .sound : .corrupt(at: 5) }
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin], settings: "activation: verify")
        let image = try await baton.addImage()
        let id = try await baton.addLocations([origin.url()], to: image, of: Self.content)[0]
        try await baton.waitUntil(id, is: isSound ? "active" : "quarantined")
        #expect(origin.record.requests.allSatisfy { !$0.isProbe })
    }

    @Test("Operators disable and enable locations, and the history records it")
    func operatorsDisableAndEnableLocations() async throws {
        let (first, second) = (try FaultyOrigin(Self.content), try FaultyOrigin(Self.content))
        defer { for origin in [first, second] { origin.stop() } }
        let baton = try await BatonProcess(origins: ["a": first, "b": second])
        let image = try await baton.addImage()
        let ids = try await baton.addLocations([first.url(), second.url()], to: image, of: Self.content)
        #expect(try await baton.explained(image) == ["a", "b"])
        #expect(try await baton.operate("disable", on: ids[0]).json["status"] as? String == "disabled")
        #expect(try await baton.explained(image) == ["b"])
        #expect(try await baton.download(image, of: Self.content).isComplete)
        #expect(await baton.relay(of: image).fields["served"] == ["b 0-\(Self.content.size - 1)"])
        #expect(first.record.downloads.isEmpty)
        let illegal = try await baton.operate("restore", on: ids[0])
        #expect(illegal.status == 409)
        #expect(illegal.errorMessage.contains("possible now: enable, delete"), "\(illegal.text)")
        #expect(try await baton.operate("enable", on: ids[0]).json["status"] as? String == "active")
        #expect(try await baton.explained(image) == ["a", "b"])
        let entry = try #require(try await baton.history(of: ids[0]).last)
        #expect(entry["event"] == "enable" && entry["from"] == "disabled" && entry["to"] == "active")
        #expect(entry["actor"] == "admin" && entry["reason"] == "a test")
        let explained = try await baton.send("GET", "/baton/v1/images/\(image)/explain")
        #expect((explained.json["representation"] as? [String: Any])?["digest"] as? String == "sha256:\(Self.content.sha256)")
    }

    @Test("The last active location is deleted only with force, and can be restored until delete_delay ends")
    func theLastActiveLocationIsDeletedOnlyWithForce() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let directory = try TestDirectory()
        let baton = try await BatonProcess(origins: ["origin": origin], in: directory)
        let image = try await baton.addImage()
        let id = try await baton.addLocations([origin.url()], to: image, of: Self.content)[0]
        let refused = try await baton.operate("delete", on: id)
        #expect(refused.status == 409 && refused.errorMessage.contains("force=true"))
        #expect(try await baton.operate("delete", on: id, query: "?force=true").status == 200)
        #expect(try await baton.send("GET", "/v2/images/\(image)/file").status == 503)
        #expect(try await baton.operate("restore", on: id).json["status"] as? String == "active")
        #expect(try await baton.download(image, of: Self.content).isComplete)
        baton.terminate()
        #expect(try await baton.exited() == 0)
        let withoutDelay = try await BatonProcess(
            origins: ["origin": origin], settings: "maintenance: { interval: 20ms, delete_delay: 0s }", in: directory)
        #expect(try await withoutDelay.operate("delete", on: id, body: #"{"force": true}"#).status == 200)
        try await withoutDelay.waitUntil(id, is: "deleted")
        #expect(try await withoutDelay.events(of: id).suffix(2) == ["delete", "expire"])
    }

    @Test("An operator can change a location's tier and metadata")
    func anOperatorCanChangeALocation() async throws {
        let (first, second) = (try FaultyOrigin(Self.content), try FaultyOrigin(Self.content))
        defer { for origin in [first, second] { origin.stop() } }
        let baton = try await BatonProcess(origins: ["a": first, "b": second])
        let image = try await baton.addImage()
        let ids = try await baton.addLocations([first.url(), second.url()], to: image, of: Self.content)
        let changed = try await baton.send(
            "PATCH", "/baton/v1/locations/\(ids[0])", body: #"{"tier": 1, "metadata": {"room": "4"}, "reason": "moved"}"#)
        #expect(changed.status == 200 && changed.json["tier"] as? Int == 1)
        #expect(try await baton.explained(image) == ["b", "a"])
        #expect(try await baton.history(of: ids[0]).last?["reason"] == "moved")
        let wrong = try await baton.send("PATCH", "/baton/v1/locations/\(ids[0])", body: #"{"url": "x"}"#)
        #expect(wrong.status == 400 && wrong.errorMessage.contains("url"))
    }

    @Test("Failover never crosses to another representation")
    func failoverNeverCrossesToAnotherRepresentation() async throws {
        let raw = PatternedContent(size: 4_000_003, seed: 52)
        let dying = try FaultyOrigin(raw) {
            $0.isProbe ? .sound : $0.range?.first == 0 ? .reset(after: 2_000_000) : .status(500)
        }
        let converted = try FaultyOrigin(Self.content)
        defer { for origin in [dying, converted] { origin.stop() } }
        let baton = try await BatonProcess(
            origins: ["raw": dying, "converted": converted], settings: HonestEndScenarios.shortTimeouts)
        let image = try await baton.addImage(of: raw, at: [dying.url()])
        try await baton.addLocations([converted.url()], to: image, of: Self.content, extra: #", "disk_format": "qcow2""#)
        let response = try await baton.download(image, of: raw)
        #expect(!response.isComplete && response.firstWrongByte == nil)
        #expect(converted.record.downloads.isEmpty)
        let other = try await TestClient.exchange(
            "GET", "/v2/images/\(image)/file?disk_format=qcow2", port: baton.port, expected: (Self.content, 0))
        #expect(other.isComplete && other.firstWrongByte == nil)
        let none = try await baton.send("GET", "/v2/images/\(image)/file?disk_format=iso")
        #expect(none.status == 406 && none.errorMessage.contains("raw/bare, qcow2/bare"), "\(none.text)")
    }

    @Test("The command line manages locations")
    func theCommandLineManagesLocations() async throws {
        let (first, second) = (try FaultyOrigin(Self.content), try FaultyOrigin(Self.content))
        defer { for origin in [first, second] { origin.stop() } }
        let baton = try await BatonProcess(origins: ["a": first, "b": second])
        let image = try await baton.addImage()
        let ids = try await baton.addLocations([first.url(), second.url()], to: image, of: Self.content)
        let environment = ["BATON_ENDPOINT": "http://127.0.0.1:\(baton.port)"]
        func command(_ arguments: String...) async throws -> BatonCommand.Result {
            try await BatonCommand.run(arguments, environment: environment)
        }
        let disabled = try await command("location", "disable", ids[0], "--reason", "its rack moves")
        #expect(disabled.status == 0 && disabled.output.contains("disabled"))
        let explained = try await command("explain", image)
        #expect(explained.output.contains("its rack moves"), "\(explained.output)")
        #expect(try await command("location", "enable", ids[0]).output.contains("active"))
        #expect(try await command("location", "verify", ids[0], "--json").output.contains(#""status":"active""#))
        try await baton.waitUntil(ids[0], has: "verified")
        #expect(try await command("location", "quarantine", ids[1]).output.contains("quarantined"))
        let refused = try await command("location", "delete", ids[0])
        #expect(refused.status == 1 && refused.errors.contains("force"), "\(refused.errors)")
        #expect(try await command("location", "delete", ids[0], "--force").output.contains("pending_delete"))
        #expect(try await command("location", "restore", ids[0]).output.contains("active"))
        let history = try await command("location", "history", ids[0])
        #expect(history.output.contains("active → disabled") && history.output.contains("its rack moves"))
        #expect(try await command("location", "disable", "x").status == 64)
    }
}
