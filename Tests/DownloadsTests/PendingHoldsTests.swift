import Foundation
import ImageCatalog
import ImageModel
import Testing

@testable import Downloads

@Suite final class PendingHoldsTests {
    private static let format = Format(disk: .raw, container: .bare)
    private let directory = NSTemporaryDirectory() + "baton-holds-\(UUID().uuidString)"
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

    @Test("Holds of two downloads that are not yet in the catalog are written for every contributor")
    func everyContributor() async throws {
        try await catalog.createImage(Image(id: image, createdAt: .now, updatedAt: .now))
        let ids = [try await location("x"), try await location("y"), try await location("z")]
        let holds = PendingIntegrityHolds(verifications: catalog)
        let name = try #require(try await catalog.location(ids[0])).representation
        let numbers = [holds.hold(name, contributors: [ids[0]]), holds.hold(name, contributors: [ids[0], ids[1]])]
        #expect(Set(numbers).count == 1)
        try await holds.write(numbers[0])
        for (id, isSuspect) in zip(ids, [true, true, false]) {
            #expect(try await catalog.location(id)?.isSuspect == isSuspect)
        }
    }

    @Test("A new hold lasts from its own time on, whatever was recorded before")
    func timeOfTheHold() throws {
        let holds = PendingIntegrityHolds(verifications: catalog)
        var representation = Representation(
            image: image, format: Self.format, size: 10,
            identity: try Digest(.sha256, hex: String(repeating: "a", count: 64)))
        #expect(holds.applyingHolds(to: representation) == representation)
        let before = Date.now
        _ = holds.hold(representation.name, contributors: [])
        representation.lastMismatchAt = Date(timeIntervalSince1970: 1)
        let held = holds.applyingHolds(to: representation)
        #expect(held.isOnIntegrityHold && (held.lastMismatchAt ?? .distantPast) >= before)
        representation.lastMismatchAt = .distantFuture
        #expect(holds.applyingHolds(to: representation).lastMismatchAt == .distantFuture)
    }
}
