import FaultyOrigin
import Foundation
import Testing

/// Which locations become suspects for wrong bytes and which do not: one scenario for each rule of attribution.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct AttributionScenarios {
    static let content = PatternedContent(size: 3_000_017, seed: 61)
    /// The same size, other bytes.
    static let other = PatternedContent(size: 3_000_017, seed: 62)

    /// Repeats the download until one is right, as a user would.
    private func downloadUntilRight(_ image: String, _ baton: BatonProcess) async throws {
        for _ in 0..<5 {
            let response = try await baton.download(image, of: Self.content)
            if response.isComplete {
                #expect(response.firstWrongByte == nil)
                return
            }
        }
        Issue.record("no download of five was right")
    }

    @Test("One corrupt location among several is quarantined, and no other stays suspect", arguments: [2, 3])
    func oneCorruptLocationAmongSeveralIsQuarantined(count: Int) async throws {
        // The first download is mixed: the beginning from the corrupt location, the end from another.
        let corrupt = try FaultyOrigin(Self.content) { request in
            guard !request.isProbe else { return .sound }
            return request.index == 1 ? .corrupt(at: 1_000_000).ending(.reset(after: 1_500_000)) : .corrupt(at: 1_000_000)
        }
        let sound = try (1..<count).map { _ in try FaultyOrigin(Self.content) }
        defer { for origin in [corrupt] + sound { origin.stop() } }
        var origins = ["a-corrupt": corrupt]
        for (index, origin) in sound.enumerated() { origins["b\(index)"] = origin }
        let baton = try await BatonProcess(origins: origins)
        let image = try await baton.addImage()
        let ids = try await baton.addLocations(([corrupt] + sound).map { $0.url() }, to: image, of: Self.content)
        #expect(try await !baton.download(image, of: Self.content).isComplete)
        try await baton.waitUntil(ids[0], is: "quarantined")
        try await baton.waitUntil(ids[1], has: "verified")
        for id in ids.dropFirst() { try await baton.waitUntil(id, is: "active") }
        #expect(try await baton.locations(of: image).dropFirst().allSatisfy { $0["suspect"] as? Bool == false })
        try await downloadUntilRight(image, baton)
    }

    @Test("Every location that contributed to a digest mismatch becomes a suspect")
    func allContributorsBecomeSuspects() async throws {
        // Reads of them alone fail, so that the marks of the download remain.
        let origins = try (0..<3).map { number in
            try FaultyOrigin(Self.content) { request in
                if request.isProbe { return .sound }
                switch (number, request.index) {
                case (0, 1): return .reset(after: 1_000_000)
                case (1, 1): return .corrupt(at: 1_500_000).ending(.reset(after: 1_000_000))
                case (2, 1): return .sound
                default: return .status(500)
                }
            }
        }
        defer { for origin in origins { origin.stop() } }
        let baton = try await BatonProcess(
            origins: ["a": origins[0], "b": origins[1], "c": origins[2]],
            settings:
                "relay: { connect_timeout: 1s, stall_timeout: 400ms, give_up_after: 4s }\nmaintenance: { scrub_interval: 0s }")
        let image = try await baton.addImage()
        let ids = try await baton.addLocations(origins.map { $0.url() }, to: image, of: Self.content)
        #expect(try await !baton.download(image, of: Self.content).isComplete)
        for id in ids { try await baton.waitUntil(id, has: "marked_suspect") }
        for id in ids { #expect(try await baton.location(id)["suspect"] as? Bool == true) }
    }

    @Test("No location is quarantined when a whole backend is gone")
    func noLocationIsQuarantinedWhenAWholeBackendIsGone() async throws {
        let directory = try TestDirectory()
        let (root, away) = (directory.file("disk"), directory.file("away"))
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        let names = ["a", "b", "c"]
        for name in names { try Self.content.write(to: "\(root)/\(name)") }
        let baton = try await BatonProcess(
            backends: ["disk": #"driver: file, root: "\#(root)""#],
            settings: "maintenance: { interval: 20ms, scrub_interval: 1ms, miss_interval: 10ms, scrub_rate: 1GiB }",
            directory: directory)
        let image = try await baton.addImage()
        let ids = try await baton.addLocations(names.map { "file://\(root)/\($0)" }, to: image, of: Self.content)
        for id in ids { try await baton.waitUntil(id, has: "verified") }
        try FileManager.default.moveItem(atPath: root, toPath: away)
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)  // the empty mount point
        for id in ids { try await baton.waitUntil(id, has: "missed", count: 5) }
        for id in ids { #expect(try await baton.location(id)["status"] as? String == "active") }
        #expect(try await baton.send("GET", "/v2/images/\(image)/file").status == 503)
        try FileManager.default.removeItem(atPath: root)
        try FileManager.default.moveItem(atPath: away, toPath: root)
        try await downloadUntilRight(image, baton)
    }

    @Test("A missing object on a backend that serves others is quarantined after three misses")
    func aMissingObjectIsQuarantinedAfterThreeMisses() async throws {
        let directory = try TestDirectory()
        let root = directory.file("disk")
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        for name in ["a", "b"] { try Self.content.write(to: "\(root)/\(name)") }
        let baton = try await BatonProcess(
            backends: ["disk": #"driver: file, root: "\#(root)""#],
            settings: "maintenance: { interval: 20ms, scrub_interval: 1ms, miss_interval: 10ms, scrub_rate: 1GiB }",
            directory: directory)
        let image = try await baton.addImage()
        let ids = try await baton.addLocations(["a", "b"].map { "file://\(root)/\($0)" }, to: image, of: Self.content)
        try FileManager.default.removeItem(atPath: "\(root)/a")
        try await baton.waitUntil(ids[0], is: "quarantined")
        #expect(try await baton.events(of: ids[0]).count { $0 == "missed" } >= 3)
        #expect(try await baton.location(ids[1])["status"] as? String == "active")
    }

    @Test("Two locations that agree against the declared digest make a digest conflict, and none is suspected")
    func twoLocationsThatAgreeMakeADigestConflict() async throws {
        let origins = ["a": try FaultyOrigin(Self.other), "b": try FaultyOrigin(Self.other)]
        defer { for origin in origins.values { origin.stop() } }
        let baton = try await BatonProcess(origins: origins)
        let image = try await baton.addImage()
        let urls = origins.sorted { $0.key < $1.key }.map { $0.value.url() }
        let ids = try await baton.addLocations(urls, to: image, of: Self.content)  // a digest that neither has
        #expect(try await !baton.download(image, of: Self.other).isComplete)
        let record = await baton.logged { $0.event == "representation.digest_conflict" }
        #expect(record.level == "critical")
        try await baton.waitUntil(ids[0], has: "digest_conflict")
        for id in ids { try await baton.waitUntil(id, is: "active") }
        let explained = try await baton.send("GET", "/baton/v1/images/\(image)/explain")
        #expect((explained.json["representation"] as? [String: Any])?["digest_conflict"] as? Bool == true)
        for id in ids { #expect(try await !baton.events(of: id).contains("mismatched")) }
    }

    /// The image is small, so that one download contradicts both and both are read at once; or neither serves yet when they are read.
    @Test(
        "Two copies that are read at the same time corroborate each other",
        arguments: ["activation: probe", "activation: verify"])
    func copiesReadAtTheSameTimeCorroborateEachOther(settings: String) async throws {
        let declared = PatternedContent(size: 400_009, seed: 64)
        let held = PatternedContent(size: 400_009, seed: 65)
        // Neither is read before both are registered: until then their reads are refused and retried.
        let areBothKnown = Flag()
        let behaviour: @Sendable (OriginRequest) -> Behaviour = { request in
            request.isProbe || areBothKnown.isSet ? .sound : .status(500)
        }
        let origins = [
            "a": try FaultyOrigin(held, behaviour: behaviour), "b": try FaultyOrigin(held, behaviour: behaviour),
        ]
        defer { for origin in origins.values { origin.stop() } }
        let baton = try await BatonProcess(origins: origins, settings: settings)
        let image = try await baton.addImage()
        let urls = origins.sorted { $0.key < $1.key }.map { $0.value.url() }
        let ids = try await baton.addLocations(urls, to: image, of: declared)
        areBothKnown.set()
        _ = try await baton.send("GET", "/v2/images/\(image)/file")
        for id in ids { try await baton.waitUntil(id, has: "digest_conflict") }
        for id in ids { #expect(try await !baton.events(of: id).contains { $0 == "mismatched" || $0 == "quarantine" }) }
    }

    @Test("One object under two URLs does not corroborate itself")
    func oneObjectUnderTwoURLsDoesNotCorroborateItself() async throws {
        let rotten = try FaultyOrigin(Self.other)
        let sound = try FaultyOrigin(Self.content)
        defer { for origin in [rotten, sound] { origin.stop() } }
        let baton = try await BatonProcess(origins: ["a": rotten, "b": sound])
        let image = try await baton.addImage(of: Self.content, at: [sound.url()])
        let patch = ["one", "two"].map {
            #"{"op": "add", "path": "/locations/-", "value": {"url": "\#(rotten.url())#\#($0)", "metadata": {}}}"#
        }.joined(separator: ",")
        let patched = try await baton.send(
            "PATCH", "/v2/images/\(image)",
            headers: ["Content-Type": "application/openstack-images-v2.1-json-patch"], body: "[\(patch)]")
        #expect(patched.status == 200, "\(patched.text)")
        let ids = try await baton.locations(of: image).dropFirst().compactMap { $0["id"] as? String }
        #expect(ids.count == 2)
        for id in ids { try await baton.operate("verify", on: id) }
        for id in ids { try await baton.waitUntil(id, is: "quarantined") }
        let explained = try await baton.send("GET", "/baton/v1/images/\(image)/explain")
        #expect((explained.json["representation"] as? [String: Any])?["digest_conflict"] as? Bool == false)
    }

    @Test("An object that was replaced at its origin is quarantined", arguments: [3_000_017, 2_999_999] as [Int64])
    func anObjectThatWasReplacedAtItsOriginIsQuarantined(size: Int64) async throws {
        let before = try FaultyOrigin(Self.content)
        let sound = try FaultyOrigin(Self.content)
        let after = try FaultyOrigin(PatternedContent(size: size, seed: 63), etag: "\"v2\"")
        defer { for origin in [before, sound, after] { origin.stop() } }
        let directory = try TestDirectory()
        let first = try await BatonProcess(origins: ["a": before, "b": sound], in: directory)
        let image = try await first.addImage()
        let ids = try await first.addLocations([before.url(), sound.url()], to: image, of: Self.content)
        first.terminate()
        #expect(try await first.exited() == 0)
        // The same backend, now with another object under the same URL.
        let baton = try await BatonProcess(
            origins: ["a": after, "b": sound], settings: "maintenance: { interval: 20ms, scrub_interval: 1ms }", in: directory)
        try await baton.waitUntil(ids[0], is: "quarantined")
        #expect(try await baton.history(of: ids[0]).last?["reason"]?.contains("other content: \(size) bytes") == true)
        try await downloadUntilRight(image, baton)
        #expect(try await baton.location(ids[1])["status"] as? String == "active")
    }

    @Test("A location that was corrupt once in flight is cleared and serves on")
    func aLocationThatWasCorruptOnceIsClearedAndServesOn() async throws {
        let first = try FaultyOrigin(Self.content) { request in
            request.isProbe ? .sound : request.index == 1 ? .corrupt(at: 1_234_567) : .sound
        }
        defer { first.stop() }
        let baton = try await BatonProcess(origins: ["a": first])
        let image = try await baton.addImage()
        let id = try await baton.addLocations([first.url()], to: image, of: Self.content)[0]
        #expect(try await !baton.download(image, of: Self.content).isComplete)
        try await baton.waitUntil(id, has: "verified")
        let record = try await baton.location(id)
        #expect(record["status"] as? String == "active" && record["suspect"] as? Bool == false)
        #expect(try await baton.download(image, of: Self.content).isComplete)
    }

    @Test("Mass quarantine stops after three locations of a backend")
    func massQuarantineIsStopped() async throws {
        let origin = try FaultyOrigin(Self.content)
        let rotten = try FaultyOrigin(Self.other)
        defer { for origin in [origin, rotten] { origin.stop() } }
        let directory = try TestDirectory()
        let first = try await BatonProcess(origins: ["disk": origin], in: directory)
        var ids: [String] = []
        for index in 0..<5 {
            let image = try await first.addImage()
            ids += try await first.addLocations([origin.url("\(index)")], to: image, of: Self.content)
        }
        first.terminate()
        #expect(try await first.exited() == 0)
        let baton = try await BatonProcess(
            origins: ["disk": rotten], settings: "maintenance: { interval: 20ms, scrub_interval: 1ms, miss_interval: 12h }",
            in: directory)
        let last = ids[4]
        _ = await baton.logged { $0.event == "backend.quarantine_limit" && $0["location"] == last }
        var statuses: [String] = []
        for id in ids { statuses.append(try await baton.location(id)["status"] as? String ?? "") }
        #expect(statuses == ["quarantined", "quarantined", "quarantined", "active", "active"])
    }

    /// Another read would have the same result, so the next one has a date, however many downloads fail.
    @Test("A digest conflict is not read again for every download")
    func aDigestConflictIsNotReadAgainForEveryDownload() async throws {
        let origins = ["a": try FaultyOrigin(Self.other), "b": try FaultyOrigin(Self.other)]
        let apart = try FaultyOrigin(Self.content)
        defer { for origin in origins.values + [apart] { origin.stop() } }
        let baton = try await BatonProcess(
            origins: origins.merging(["c": apart]) { $1 }, settings: "maintenance: { readers: 1, scrub_interval: 0s }")
        let image = try await baton.addImage()
        let urls = origins.sorted { $0.key < $1.key }.map { $0.value.url() }
        let ids = try await baton.addLocations(urls, to: image, of: Self.content)
        // First the one, then the other, which is not suspect yet.
        for id in ids {
            #expect(try await !baton.download(image, of: Self.other).isComplete)
            try await baton.waitUntil(id, has: "digest_conflict")
            try await eventually("a time for the next read") { try await baton.location(id)["next_read_at"] is String }
        }
        let reads = { origins.values.reduce(0) { $0 + $1.record.requests.count { !$0.isProbe } } }
        let before = reads()
        #expect(try await !baton.download(image, of: Self.other).isComplete)
        // A location that this download queued is read before this one.
        let third = try await baton.addLocations([apart.url()], to: try await baton.addImage(), of: Self.content)[0]
        try await baton.operate("verify", on: third)
        try await baton.waitUntil(third, has: "verified")
        #expect(reads() == before + 1, "only the download itself")
    }

    /// Another process locks the catalog for longer than Baton waits for it.
    @Test("An integrity hold takes effect even when the catalog cannot store it")
    func anIntegrityHoldTakesEffectWithoutTheCatalog() async throws {
        let corrupt = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .corrupt(at: 1_000_000) }
        defer { corrupt.stop() }
        let baton = try await BatonProcess(
            origins: ["a": corrupt], settings: "maintenance: { interval: 100ms, scrub_interval: 0s }")
        let image = try await baton.addImage()
        let id = try await baton.addLocations([corrupt.url()], to: image, of: Self.content)[0]
        let lock = try CatalogLock(baton.directory.file("catalog.sqlite"))
        #expect(try await !baton.download(image, of: Self.content).isComplete)
        _ = await baton.logged { $0.event == "catalog.record_failed" }
        let resumed = try await baton.download(image, of: Self.content, headers: ["Range": "bytes=2000000-"])
        #expect(resumed.status != 206, "the range would complete a corrupt file")
        let explained = try await baton.send("GET", "/baton/v1/images/\(image)/explain?for=range")
        #expect((explained.json["representation"] as? [String: Any])?["serves_ranges"] as? Bool == false)
        lock.release()
        try await baton.waitUntil(id, has: "marked_suspect")
        try await baton.waitUntil(id, is: "quarantined")
    }
}
