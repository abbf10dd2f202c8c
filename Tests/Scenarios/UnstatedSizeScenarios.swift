import FaultyOrigin
import Foundation
import Testing

/// Servers that never state the size of their objects.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct UnstatedSizeScenarios {
    static let content = PatternedContent(size: 3_000_017, seed: 141)
    static let settings = "maintenance: { interval: 20ms, scrub_interval: 0s }"

    /// The fields that a registration declares.
    enum Declared: String, CaseIterable {
        case everything, size, digest, nothing
    }

    private func add(
        _ url: String, to image: String, declaring declared: Declared, at baton: BatonProcess
    ) async throws -> TestClient.Response {
        let size = #""size": \#(Self.content.size)"#
        let digest = #""digests": {"sha256": "\#(Self.content.sha256)"}"#
        let fields: [String] =
            switch declared {
            case .everything: [size, digest]
            case .size: [size]
            case .digest: [digest]
            case .nothing: []
            }
        return try await baton.send(
            "POST", "/baton/v1/images/\(image)/locations",
            body: "{" + ([#""url": "\#(url)""#] + fields).joined(separator: ", ") + "}")
    }

    @Test(
        "A full read computes what the server does not state, and the location serves the exact image",
        arguments: Behaviour.UnstatedSize.allCases, Declared.allCases)
    func aFullReadFindsItOut(way: Behaviour.UnstatedSize, declared: Declared) async throws {
        let origin = try FaultyOrigin(Self.content) { _ in .sound.unstating(way) }
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["a": origin], settings: Self.settings)
        let image = try await baton.addImage()
        let added = try await add(origin.url(), to: image, declaring: declared, at: baton)
        #expect(added.status == 201, "\(added.text)")
        let id = try #require(added.json["id"] as? String)
        if declared == .everything {
            #expect(added.text.contains("does not state the object's size"), "the probe gives the reason: \(added.text)")
        }
        try await baton.waitUntil(id, is: "active")
        let location = try await baton.location(id)
        #expect(location["size"] as? Int64 == Self.content.size)
        #expect((location["digests"] as? [String: Any])?["sha256"] as? String == Self.content.sha256)
        for _ in 0..<2 {
            let response = try await baton.download(image, of: Self.content)
            #expect(response.status == 200 && response.isComplete && response.firstWrongByte == nil)
        }
    }

    @Test("A range from a server that never states a size is verified by the manifest")
    func ranges() async throws {
        let origin = try FaultyOrigin(Self.content) { _ in .sound.unstating(.star) }
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["a": origin], settings: Self.settings)
        let image = try await baton.addImage(of: Self.content, at: [origin.url()])
        _ = try await baton.manifest(of: image)
        let response = try await baton.download(
            image, of: Self.content, headers: ["Range": "bytes=1000000-1999999"], from: 1_000_000)
        #expect(response.status == 206 && response.isComplete && response.firstWrongByte == nil)
    }

    @Test(
        "An object that differs from the declared one is quarantined, whatever its size",
        arguments: Behaviour.UnstatedSize.allCases, [3_000_016, 3_000_017, 3_000_018, 4_000_000] as [Int64])
    func anotherObject(way: Behaviour.UnstatedSize, size: Int64) async throws {
        // The larger ones begin with the declared content.
        let held = PatternedContent(size: size, seed: size == Self.content.size ? 142 : 141)
        let origin = try FaultyOrigin(held) { _ in .sound.unstating(way) }
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["a": origin], settings: Self.settings)
        let image = try await baton.addImage()
        let id = try await baton.addLocations([origin.url()], to: image, of: Self.content)[0]
        try await baton.waitUntil(id, is: "quarantined")
        #expect(try await baton.download(image, of: Self.content).status == 503)
    }

    @Test(
        "A response that is cut off does not count as the whole object",
        arguments: [Behaviour.UnstatedSize.chunked, .untilClose])
    func aCutAnswer(way: Behaviour.UnstatedSize) async throws {
        let origin = try FaultyOrigin(Self.content) { request in
            let sound = Behaviour.sound.unstating(way)
            return request.index > 0 ? sound : sound.ending(.close(after: 1_000_000))
        }
        defer { origin.stop() }
        let baton = try await BatonProcess(
            origins: ["a": origin], settings: "maintenance: { interval: 20ms, scrub_interval: 0s, miss_interval: 10ms }")
        let image = try await baton.addImage()
        let id = try await baton.addUnknownLocation(origin.url(), to: image)
        try await baton.waitUntil(id, is: "active")
        #expect(try await baton.location(id)["size"] as? Int64 == Self.content.size)
    }

    @Test("Glance's clients can add a location without a stated size", arguments: Behaviour.UnstatedSize.allCases)
    func throughGlancesAPI(way: Behaviour.UnstatedSize) async throws {
        let origin = try FaultyOrigin(Self.content) { _ in .sound.unstating(way) }
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["a": origin], settings: Self.settings)
        let image = try await baton.addImage()
        let patched = try await baton.send(
            "PATCH", "/v2/images/\(image)", headers: ["Content-Type": "application/openstack-images-v2.1-json-patch"],
            body: #"[{"op": "add", "path": "/locations/-", "value": {"url": "\#(origin.url())", "metadata": {}}}]"#)
        #expect(patched.status == 200, "\(patched.text)")
        let id = try #require(try await baton.locations(of: image).first?["id"] as? String)
        try await baton.waitUntil(id, is: "active")
        let response = try await baton.download(image, of: Self.content)
        #expect(response.isComplete && response.firstWrongByte == nil)
    }

    /// More than any client reads.
    private static let endless = PatternedContent(size: 1 << 40, seed: 142)

    @Test("Endless objects do not keep other locations from being read")
    func endlessObjects() async throws {
        // Each would reach the limit only after an hour.
        let drip = try FaultyOrigin(Self.endless) { _ in .sound.unstating(.chunked).paced(256 << 10) }
        let sound = try FaultyOrigin(Self.content) { _ in .sound.unstating(.chunked) }
        defer { for origin in [drip, sound] { origin.stop() } }
        let baton = try await BatonProcess(
            origins: ["drip": drip, "sound": sound],
            settings: BatonProcess.timeout + "\nmaintenance: { interval: 20ms, scrub_interval: 0s, readers: 1 }\n"
                + "uploads: { max_size: 1GiB }")
        for _ in 0..<2 {
            #expect(try await add(drip.url(), to: baton.addImage(), declaring: .nothing, at: baton).status == 201)
        }
        await drip.waitUntil { $0.bodyBytesSent > 0 }
        let added = try await add(sound.url(), to: baton.addImage(), declaring: .everything, at: baton)
        try await baton.waitUntil(try #require(added.json["id"] as? String), is: "active")
        #expect(drip.record.openConnections > 0, "it is still being read")
    }

    @Test("The read of an endless object stops at uploads.max_size")
    func endlessObjectsHaveALimit() async throws {
        let torrent = try FaultyOrigin(Self.endless) { _ in .sound.unstating(.chunked) }
        defer { torrent.stop() }
        let baton = try await BatonProcess(
            origins: ["torrent": torrent], settings: Self.settings + "\nuploads: { max_size: 8MiB }")
        let image = try await baton.addImage()
        #expect(try await add(torrent.url(), to: image, declaring: .nothing, at: baton).status == 201)
        let line = await baton.logged { $0.event == "verification.incomplete" && $0["image"] == image }
        #expect(line["failure"]?.contains("uploads.max_size") == true, "\(line)")
    }
}
