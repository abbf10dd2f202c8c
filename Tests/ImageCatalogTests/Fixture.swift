import Foundation
import GRDB
import ImageModel

@testable import ImageCatalog

/// A catalog in a directory of its own, which is deleted with it.
final class Fixture {
    let directory = NSTemporaryDirectory() + "baton-catalog-\(UUID().uuidString)"
    let catalog: SQLiteCatalog
    static let format = Format(disk: .raw, container: .bare)
    static let start = Date(timeIntervalSince1970: 1_790_000_000)

    var path: String { directory + "/nested/catalog.sqlite" }

    init(configuration: Configuration = Configuration()) throws {
        catalog = try SQLiteCatalog(path: directory + "/nested/catalog.sqlite", configuration: configuration)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    static func digest(_ letter: Character, _ algorithm: DigestAlgorithm = .sha256) throws -> Digest {
        try Digest(algorithm, hex: String(repeating: letter, count: algorithm.byteCount * 2))
    }

    func image(_ change: (inout Image) -> Void = { _ in }) async throws -> Image {
        var image = Image(id: ImageID(), createdAt: Self.start, updatedAt: Self.start)
        change(&image)
        try await catalog.createImage(image)
        return image
    }

    @discardableResult
    func location(
        of image: Image, path: String = "image", format: Format = format, size: Int64? = 10, digests: [Digest]? = nil,
        active: Bool = false
    ) async throws -> Location {
        let new = NewLocation(
            image: image.id, backend: BackendID("north"), path: path, url: "http://north/\(path)", format: format, size: size,
            digests: DigestSet(try digests ?? [Self.digest("a")]), weight: 3, tier: 1, metadata: ["room": "4"])
        let location = try await catalog.addLocation(new, id: LocationID(), at: Self.start, actor: "test", reason: "registered")
        return active ? try await apply(.probed, to: location, validator: Validator("v1")) : location
    }

    @discardableResult
    func apply(_ event: LocationEvent, to location: Location, validator: Validator? = nil) async throws -> Location {
        try await catalog.apply(
            LocationChange(event, of: location.id, actor: "test", reason: "because", at: Self.start, validator: validator))
    }

    /// The manifest that a download finds.
    func manifest(of representation: Representation) async throws -> StoredManifest? {
        try await catalog.resolve(representation.image, format: RequestedFormat(representation.format))?.manifest
    }

    func resolve(_ image: Image) async throws -> Resolution? {
        try await catalog.resolve(image.id, format: RequestedFormat())
    }
}
