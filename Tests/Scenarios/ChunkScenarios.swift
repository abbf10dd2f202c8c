import FaultyOrigin
import Foundation
import ImageCatalog
import ImageModel
import Integrity
import Testing

/// Verification by chunk digests: no wrong byte leaves, and the download completes.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ChunkScenarios {
    static let content = PatternedContent(size: 5_000_017, seed: 91)
    static let wrongOffset: Int64 = 2_500_000

    /// A server with two locations of the image, the first of which corrupts a byte once told to.
    private struct Pair {
        let rot: FaultyOrigin
        let sound: FaultyOrigin
        let isRotten: Flag
        let baton: BatonProcess
        let image: String
        let locations: [String]

        func stop() { for origin in [rot, sound] { origin.stop() } }
    }

    private func pair() async throws -> Pair {
        let isRotten = Flag()
        let rot = try FaultyOrigin(ChunkScenarios.content) { _ in
            isRotten.isSet ? .corrupt(at: ChunkScenarios.wrongOffset) : .sound
        }
        let sound = try FaultyOrigin(Self.content)
        let baton = try await BatonProcess(origins: ["a-rot": rot, "b-sound": sound])
        let image = try await baton.addImage()
        let locations = try await baton.addLocations([rot.url(), sound.url()], to: image, of: Self.content)
        return Pair(rot: rot, sound: sound, isRotten: isRotten, baton: baton, image: image, locations: locations)
    }

    @Test("With a manifest no wrong byte leaves, and the download completes")
    func withAManifestNoWrongByteLeaves() async throws {
        let pair = try await pair()
        defer { pair.stop() }
        #expect(try await pair.baton.download(pair.image, of: Self.content).isComplete)
        let manifest = try await pair.baton.explainedManifest(of: pair.image)
        #expect(manifest["algorithm"] as? String == "sha256")
        #expect(manifest["chunk_size"] as? Int == 1 << 20)
        #expect(manifest["chunks"] as? Int == 5)
        pair.isRotten.set()
        let response = try await pair.baton.download(pair.image, of: Self.content)
        #expect(response.status == 200)
        #expect(response.isComplete)
        #expect(response.firstWrongByte == nil)
        let relay = await pair.baton.logged { $0.event == "download.finished" && $0.fields["rejected_chunks"] != nil }
        #expect(relay.fields["rejected_chunks"] == ["at byte 2097152"])
        #expect(relay["outcome"] == "finished")
        // The location is read alone, twice, before it is quarantined; there is no integrity hold.
        try await pair.baton.waitUntil(pair.locations[0], is: "quarantined")
        #expect(
            try await !pair.baton.events(of: pair.locations[0]).contains("suspect"),
            "until then it serves as the last resort, since every chunk is verified")
        #expect(try await pair.baton.representation(of: pair.image)["integrity_hold"] as? Bool == false)
        #expect(try await pair.baton.representation(of: pair.image)["held_since"] is NSNull)
    }

    @Test("A range is verified, and a wrong chunk in it is fetched from another location")
    func aWrongChunkOfARangeIsFetchedElsewhere() async throws {
        let pair = try await pair()
        defer { pair.stop() }
        #expect(try await pair.baton.download(pair.image, of: Self.content).isComplete)
        _ = try await pair.baton.explainedManifest(of: pair.image)
        pair.isRotten.set()
        let explanation = try await pair.baton.send("GET", "/baton/v1/images/\(pair.image)/explain?for=range").json
        #expect(explanation["for"] as? String == "range")
        let (first, last) = (Self.wrongOffset - 10, Self.wrongOffset + 10)
        let response = try await pair.baton.download(
            pair.image, of: Self.content, headers: ["Range": "bytes=\(first)-\(last)"], from: first)
        #expect(response.status == 206)
        #expect(response.headers["content-range"] == "bytes \(first)-\(last)/\(Self.content.size)")
        #expect(response.count == 21)
        #expect(response.firstWrongByte == nil)
    }

    @Test("An image that is only read by ranges gets a manifest too")
    func anImageThatIsOnlyReadByRangesGetsAManifest() async throws {
        let pair = try await pair()
        defer { pair.stop() }
        #expect(
            try await pair.baton.download(pair.image, of: Self.content, headers: ["Range": "bytes=0-99"]).status == 200)
        _ = try await pair.baton.explainedManifest(of: pair.image)
        pair.isRotten.set()
        let first = Self.wrongOffset
        let response = try await pair.baton.download(
            pair.image, of: Self.content, headers: ["Range": "bytes=\(first)-"], from: first)
        #expect(response.isComplete)
        #expect(response.firstWrongByte == nil)
    }

    @Test("A download ends before a chunk that no location can serve right")
    func aDownloadEndsBeforeAChunkThatNoLocationHasRight() async throws {
        let isRotten = Flag()
        let origin = try FaultyOrigin(Self.content) { _ in isRotten.isSet ? .corrupt(at: Self.wrongOffset) : .sound }
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["only": origin])
        let image = try await baton.addImage(of: Self.content, at: [origin.url()])
        #expect(try await baton.download(image, of: Self.content).isComplete)
        _ = try await baton.explainedManifest(of: image)
        isRotten.set()
        let response = try await baton.download(image, of: Self.content)
        #expect(!response.isComplete)
        #expect(response.count == 2 << 20)
        #expect(response.firstWrongByte == nil)
    }
}

extension BatonProcess {
    /// The image's manifest in `explain`, once there is one; the test's time limit bounds the wait.
    func explainedManifest(of image: String) async throws -> [String: Any] {
        while true {
            let explanation = try await send("GET", "/baton/v1/images/\(image)/explain").json
            if let manifest = explanation["manifest"] as? [String: Any] { return manifest }
            await Task.yield()
        }
    }

    /// The image's representation in `explain`.
    func representation(of image: String) async throws -> [String: Any] {
        try await send("GET", "/baton/v1/images/\(image)/explain").json["representation"] as? [String: Any] ?? [:]
    }
}

/// A manifest that is wrong itself.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct WrongManifestScenarios {
    static let content = PatternedContent(size: 3_000_017, seed: 92)

    @Test("A wrong manifest is replaced, and no location is quarantined for it", arguments: [1, 2])
    func aWrongManifestIsReplaced(count: Int) async throws {
        let origins = try (0..<count).map { _ in try FaultyOrigin(Self.content) }
        defer { for origin in origins { origin.stop() } }
        let baton = try await BatonProcess(
            origins: Dictionary(uniqueKeysWithValues: origins.enumerated().map { ("b\($0)", $1) }))
        let image = try await baton.addImage()
        let ids = try await baton.addLocations(origins.map { $0.url() }, to: image, of: Self.content)
        // Made of other bytes, with a valid seal: the catalog cannot detect it.
        let wrong = try #require(PatternedContent(size: Self.content.size, seed: 1).manifest(chunkSize: 1 << 20))
        let catalog = try baton.openCatalog()
        let id = try #require(ImageID(image))
        try await eventually("a representation") {
            try await catalog.resolve(id, format: RequestedFormat())?.representation != nil
        }
        let representation = try #require(try await catalog.resolve(id, format: RequestedFormat())?.representation)
        #expect(try await catalog.addManifest(wrong.layout, pages: wrong.pages, of: representation, at: .now))
        let response = try await baton.download(image, of: Self.content)
        #expect(response.status == 503, "no byte is verified, so none leaves")
        let right = try #require(Self.content.manifest(chunkSize: 1 << 20))
        // The wrong one may be deleted between the read of it and the read of its pages.
        try await eventually("the right manifest") { (try? await baton.manifest(of: image)) == right }
        for id in ids { try await baton.waitUntil(id, is: "active") }
        let again = try await baton.download(image, of: Self.content)
        #expect(again.isComplete)
        #expect(again.firstWrongByte == nil)
        for id in ids { #expect(try await !baton.events(of: id).contains("quarantine")) }
    }
}
