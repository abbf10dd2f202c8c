import Foundation
import ImageCatalog
import ImageModel
import Testing

@testable import LocationUpkeep

@Suite final class PendingDoubtsTests {
    private static let format = Format(disk: .raw, container: .bare)
    private let directory = NSTemporaryDirectory() + "baton-doubts-\(UUID().uuidString)"
    private let catalog: SQLiteCatalog
    private let image = ImageID()

    init() throws { catalog = try SQLiteCatalog(path: directory + "/catalog.sqlite") }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    private func location(_ path: String) async throws -> LocationID {
        let id = LocationID()
        let digest = try Digest(.sha256, hex: String(repeating: "a", count: 64))
        _ = try await catalog.addLocation(
            NewLocation(
                image: image, backend: BackendID("b"), path: path, url: "http://b/\(path)", format: Self.format, size: 10,
                digests: DigestSet([digest])), id: id, at: .now, actor: "test", reason: "registered")
        return id
    }

    @Test("What two downloads hold against a representation before the catalog takes it is written for every contributor")
    func everyContributor() async throws {
        try await catalog.createImage(Image(id: image, createdAt: .now, updatedAt: .now))
        let ids = [try await location("x"), try await location("y"), try await location("z")]
        let doubts = PendingDoubts(catalog: catalog)
        let name = try #require(try await catalog.location(ids[0])).representation
        let numbers = [doubts.hold(name, contributors: [ids[0]]), doubts.hold(name, contributors: [ids[0], ids[1]])]
        #expect(Set(numbers).count == 1)
        try await doubts.write(numbers[0])
        for (id, isAccused) in zip(ids, [true, true, false]) {
            #expect(try await catalog.location(id)?.isAccused == isAccused)
        }
    }

    @Test("A new hold lasts from its own time on, whatever came before")
    func timeOfTheHold() throws {
        let doubts = PendingDoubts(catalog: catalog)
        var representation = Representation(
            image: image, format: Self.format, size: 10,
            identity: try Digest(.sha256, hex: String(repeating: "a", count: 64)))
        #expect(doubts.regarding(representation) == representation)
        let before = Date.now
        _ = doubts.hold(representation.name, contributors: [])
        representation.doubtedAt = Date(timeIntervalSince1970: 1)
        let held = doubts.regarding(representation)
        #expect(held.isInDoubt && (held.doubtedAt ?? .distantPast) >= before)
        representation.doubtedAt = .distantFuture
        #expect(doubts.regarding(representation).doubtedAt == .distantFuture)
    }
}
