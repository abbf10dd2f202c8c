import FaultyOrigin
import Foundation
import ImageCatalog
import ImageModel
import Integrity
import Testing

/// When manifests are made, as the catalog's file shows.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ManifestScenarios {
    private static let content = PatternedContent(size: 3_000_017, seed: 92)
    private static let quiet =
        "maintenance: { interval: 20ms, scrub_interval: 0s }\nmanifests: { chunk_size: 64KiB, eager: false }"
    private static let chunkSize: Int64 = 65_536

    @Test("Verifying a location makes a manifest")
    func verifyingALocationMakesAManifest() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["a": origin], settings: Self.quiet)
        let image = try await baton.addImage()
        let id = try await baton.addLocations([origin.url()], to: image, of: Self.content)[0]
        #expect(try await baton.operate("verify", on: id).status == 202)
        #expect(try await baton.manifest(of: image) == Self.content.manifest(chunkSize: Self.chunkSize))
        let page = String(decoding: try await baton.send("GET", "/metrics").body, as: UTF8.self)
        #expect(page.contains(#"baton_representations{manifest="present"} 1"#))
        #expect(page.contains(#"baton_representations{manifest="missing"} 0"#))
    }

    @Test("The read that creates a representation makes its manifest")
    func theReadThatCreatesARepresentationMakesItsManifest() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let baton = try await BatonProcess(
            origins: ["a": origin], settings: "maintenance: { interval: 20ms, scrub_interval: 0s }")
        let image = try await baton.addImage()
        _ = try await baton.addUnknownLocation(origin.url(), to: image)
        #expect(try await baton.manifest(of: image) == Self.content.manifest(chunkSize: 1 << 20), "the default: 1 MiB")
    }

    /// As after an upgrade from a version without manifests, or when a manifest was deleted.
    @Test("Verifying a location again makes a missing manifest")
    func verifyingALocationAgainMakesAMissingManifest() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["a": origin], settings: Self.quiet)
        let image = try await baton.addImage()
        let id = try await baton.addLocations([origin.url()], to: image, of: Self.content)[0]
        try await baton.operate("verify", on: id)
        _ = try await baton.manifest(of: image)
        let catalog = try baton.openCatalog()
        let imageID = try #require(ImageID(image))
        let first = try #require(try await catalog.resolve(imageID, format: RequestedFormat())?.manifest)
        #expect(try await catalog.forgetManifest(first))
        try await baton.operate("verify", on: id)
        #expect(try await baton.manifest(of: image) == Self.content.manifest(chunkSize: Self.chunkSize))
        #expect(try await baton.location(id)["status"] as? String == "active", "it keeps serving")
    }

    @Test("A read with a digest mismatch makes no manifest")
    func aReadWithADigestMismatchMakesNoManifest() async throws {
        let isMended = Flag()
        let origin = try FaultyOrigin(Self.content) { $0.isProbe || isMended.isSet ? .sound : .corrupt(at: 1_000_000) }
        let sound = try FaultyOrigin(Self.content)
        defer { for origin in [origin, sound] { origin.stop() } }
        let baton = try await BatonProcess(
            origins: ["a": origin, "b": sound],
            settings:
                "maintenance: { interval: 20ms, recheck: 1h, scrub_interval: 0s }\nmanifests: { chunk_size: 64KiB, eager: false }"
        )
        let image = try await baton.addImage()
        let id = try await baton.addLocations([origin.url(), sound.url()], to: image, of: Self.content)[0]
        try await baton.operate("verify", on: id)
        try await baton.waitUntil(id, is: "quarantined")
        isMended.set()
        try await baton.operate("verify", on: id)
        #expect(try await baton.manifest(of: image) == Self.content.manifest(chunkSize: Self.chunkSize))
    }

    @Test("A download that was wrong at first and then fetched elsewhere makes a manifest of the right bytes")
    func aDownloadThatWasFetchedAgain() async throws {
        let small = PatternedContent(size: 700_001, seed: 94)
        let corrupt = try FaultyOrigin(small) { $0.isProbe ? .sound : .corrupt(at: 5) }
        let sound = try FaultyOrigin(small)
        defer { for origin in [corrupt, sound] { origin.stop() } }
        let baton = try await BatonProcess(origins: ["a": corrupt, "b": sound], settings: Self.quiet)
        let image = try await baton.addImage(of: small, at: [corrupt.url(), sound.url()])
        let response = try await baton.download(image, of: small)
        #expect(response.isComplete && response.firstWrongByte == nil)
        #expect(try await baton.manifest(of: image) == small.manifest(chunkSize: Self.chunkSize))
    }

    /// The first of its pages (1024 chunks) is full when the process dies. This read may be unable to use the progress of an earlier one
    /// that computed other digests: then none of that progress may end up in the manifest.
    @Test("A scrub that SIGKILL interrupts still makes a right manifest", arguments: [false, true])
    func anInterruptedScrubMakesARightManifest(isAfterAnotherRead: Bool) async throws {
        let content = PatternedContent(size: 80 << 20, seed: 93)
        let isFree = Flag()
        let origin = try FaultyOrigin(content) { $0.isProbe || isFree.isSet ? .sound : .stall(after: 78 << 20) }
        defer { origin.stop() }
        let directory = try TestDirectory()
        let setup = try await BatonProcess(origins: ["a": origin], settings: Self.quiet, in: directory)
        let image = try await setup.addImage()
        let id = try await setup.addLocations([origin.url()], to: image, of: content)[0]
        setup.terminate()
        #expect(try await setup.exited() == 0)
        if isAfterAnotherRead { try await leaveUselessProgress(of: id, size: content.size, in: try setup.openCatalog()) }
        let settings = """
            relay: { stall_timeout: 60s }
            maintenance: { interval: 20ms, scrub_interval: 1ms, scrub_rate: 1GiB }
            manifests: { chunk_size: 64KiB, eager: false }
            """
        let first = try await BatonProcess(origins: ["a": origin], settings: settings, in: directory)
        try await eventually("more than 64 MiB to be stored as read") {
            try await first.location(id)["read_position"] as? Int64 ?? 0 > 64 << 20
        }
        kill(first.processID, SIGKILL)
        _ = try await first.exited()
        isFree.set()
        let asked = origin.record.requests.count
        let second = try await BatonProcess(origins: ["a": origin], settings: settings, in: directory)
        #expect(try await second.manifest(of: image) == content.manifest(chunkSize: Self.chunkSize))
        let resumed = try #require(origin.record.downloads.first { $0.index >= asked })
        #expect(try #require(resumed.range?.first) > 64 << 20)
    }

    /// Stores progress whose digests cannot be continued and whose chunks are not the content's.
    private func leaveUselessProgress(of id: String, size: Int64, in catalog: SQLiteCatalog) async throws {
        let id = try #require(LocationID(id))
        let layout = try #require(ChunkLayout(size: size, chunkSize: Self.chunkSize))
        let progress = ReadProgress(
            position: 1, size: size, validator: try #require(try await catalog.location(id)).validator, digests: [],
            chunks: .init(layout: layout, digests: [UInt8](repeating: 7, count: 1030 * 32), state: [1]))
        try await catalog.saveReadProgress(progress, of: id, at: .now)
    }

    /// The manifest held back the suspect's wrong bytes. Without it nothing can do so for a range.
    @Test("A suspect location serves no range when its manifest cannot be read")
    func aSuspectServesNoRangeWithoutItsManifest() async throws {
        let corrupt = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .corrupt(at: 1_000_000) }
        defer { corrupt.stop() }
        let baton = try await BatonProcess(origins: ["a": corrupt], settings: Self.quiet)
        let image = try await baton.addImage()
        let id = try #require(LocationID(try await baton.addLocations([corrupt.url()], to: image, of: Self.content)[0]))
        let catalog = try baton.openCatalog()
        let imageID = try #require(ImageID(image))
        let representation = try #require(
            try await catalog.resolve(imageID, format: RequestedFormat())?.representation)
        let sound = try #require(Self.content.manifest(chunkSize: Self.chunkSize))
        let broken = sound.pages.map {
            ManifestPage(number: $0.number, digests: $0.digests, seal: [UInt8](repeating: 0, count: 32))
        }
        #expect(try await catalog.addManifest(sound.layout, pages: broken, of: representation, at: .now))
        // It was read without a result, and the next read is postponed.
        try await catalog.postponeRead(of: id, until: .now + 3600)
        try await catalog.recordRejectedChunk(by: [id], at: .now, actor: "a test", reason: "played")
        let range = try await baton.download(image, of: Self.content, headers: ["Range": "bytes=900000-1100000"])
        #expect(range.status == 200 && !range.isComplete, "the whole image, cut at the digest mismatch")
        #expect(range.firstWrongByte == nil || range.count > 200_001)
    }
}
