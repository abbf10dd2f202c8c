import FaultyOrigin
import Foundation
import Testing

/// New images get their manifests before a client asks for a range.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct EagerManifestScenarios {
    static let content = PatternedContent(size: 300_007, seed: 131)
    /// A read must not stall on a busy machine, which would cause another read.
    static let settings =
        BatonProcess.timeout + "\nmanifests: { eager: true }\nmaintenance: { interval: 20ms, scrub_interval: 0s }"

    @Test("A new image gets a manifest without a download, and its second location is not read for it")
    func aNewImage() async throws {
        let origins = ["a": try FaultyOrigin(Self.content), "b": try FaultyOrigin(Self.content)]
        defer { for origin in origins.values { origin.stop() } }
        let baton = try await BatonProcess(origins: origins, settings: Self.settings)
        let image = try await baton.addImage()
        let first = try #require(origins["a"])
        let second = try #require(origins["b"])
        let id = try await baton.addLocations([first.url()], to: image, of: Self.content)[0]
        _ = try await baton.manifest(of: image)
        try await baton.addLocations([second.url()], to: image, of: Self.content)
        #expect(try await baton.location(id)["verified_at"] is String)
        let range = try await baton.download(image, of: Self.content, headers: ["Range": "bytes=7-"], from: 7)
        #expect(range.status == 206 && range.isComplete && range.firstWrongByte == nil)
        // The next image is read after it: by then the second location would have been read.
        let next = try await baton.addImage(of: Self.content, at: [second.url("next")])
        _ = try await baton.manifest(of: next)
        #expect(second.record.downloads.map(\.path) == ["/next"])
        let page = try await baton.send("GET", "/metrics").text
        #expect(page.contains(#"baton_background_read_bytes_total{purpose="manifest"} \#(2 * Self.content.size)"#), "\(page)")
    }

    @Test("Images that are registered together are read one at a time per backend")
    func manyImages() async throws {
        let origins = ["a": try FaultyOrigin(Self.content), "b": try FaultyOrigin(Self.content)]
        defer { for origin in origins.values { origin.stop() } }
        let baton = try await BatonProcess(origins: origins, settings: Self.settings)
        var images: [String] = []
        for number in 0..<20 {
            for (_, origin) in origins {
                images.append(try await baton.addImage(of: Self.content, at: [origin.url("\(number)")]))
            }
        }
        for image in images { _ = try await baton.manifest(of: image) }
        for (id, origin) in origins {
            #expect(origin.record.answers.most <= 2, "\(id): a probe may run beside a read")
            #expect(origin.record.downloads.count == 20, "\(id): each was read once")
        }
    }

    @Test("Pending manifest reads survive a restart, and nothing is read twice")
    func aRestart() async throws {
        let isFree = Flag()
        let origin = try FaultyOrigin(Self.content) { $0.isProbe || isFree.isSet ? .sound : .status(503) }
        defer { origin.stop() }
        let directory = try TestDirectory()
        let first = try await BatonProcess(origins: ["a": origin], settings: Self.settings, in: directory)
        let image = try await first.addImage(of: Self.content, at: [origin.url()])
        await origin.waitUntil { !$0.downloads.isEmpty }
        kill(first.processID, SIGKILL)
        _ = try await first.exited()
        isFree.set()
        let second = try await BatonProcess(origins: ["a": origin], settings: Self.settings, in: directory)
        _ = try await second.manifest(of: image)
        second.terminate()
        #expect(try await second.exited() == 0)
        let asked = origin.record.requests.count
        let third = try await BatonProcess(origins: ["a": origin], settings: Self.settings, in: directory)
        let other = try await third.addImage(of: Self.content, at: [origin.url("other")])
        _ = try await third.manifest(of: other)
        #expect(origin.record.requests.dropFirst(asked).allSatisfy { $0.path == "/other" }, "the first one has its manifest")
    }

    @Test("A backend that fails is not retried at once and delays no other image")
    func aBackendThatFails() async throws {
        let broken = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .status(500) }
        let sound = try FaultyOrigin(Self.content)
        defer { for origin in [broken, sound] { origin.stop() } }
        let baton = try await BatonProcess(origins: ["a": broken, "b": sound], settings: Self.settings)
        for number in 0..<10 { _ = try await baton.addImage(of: Self.content, at: [broken.url("\(number)")]) }
        _ = await baton.logged { $0.event == "verification.incomplete" }
        for number in 0..<10 {
            let image = try await baton.addImage(of: Self.content, at: [sound.url("\(number)")])
            _ = try await baton.manifest(of: image)
        }
        // The tests of ManifestQueue cover how long it rests; here its images must not all be tried in a row.
        #expect(Set(broken.record.downloads.map(\.path)).count <= 5)
    }

    @Test("A corrupt location of a new image is found before any download, and the next one gives the manifest")
    func aCorruptLocation() async throws {
        let corrupt = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .corrupt(at: 5) }
        let sound = try FaultyOrigin(Self.content)
        defer { for origin in [corrupt, sound] { origin.stop() } }
        let baton = try await BatonProcess(origins: ["a": corrupt, "b": sound], settings: Self.settings)
        let image = try await baton.addImage()
        let ids = try await baton.addLocations([corrupt.url(), sound.url()], to: image, of: Self.content)
        try await baton.waitUntil(ids[0], is: "quarantined")
        _ = try await baton.manifest(of: image)
        try await baton.waitUntil(ids[1], has: "verified")
    }

    @Test("With manifests.eager off, nothing is read without a request")
    func switchedOff() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let baton = try await BatonProcess(
            origins: ["a": origin], settings: "manifests: { eager: false }\nmaintenance: { interval: 20ms, scrub_interval: 0s }"
        )
        let quiet = try await baton.addImage(of: Self.content, at: [origin.url("quiet")])
        let other = try await baton.addImage()
        let id = try await baton.addLocations([origin.url("other")], to: other, of: Self.content)[0]
        try await baton.operate("verify", on: id)
        _ = try await baton.manifest(of: other)
        #expect(origin.record.downloads.allSatisfy { $0.path == "/other" })
        #expect(try await baton.locations(of: quiet)[0]["verified_at"] as? String == nil)
    }
}
