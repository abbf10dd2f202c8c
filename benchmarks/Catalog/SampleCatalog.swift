import Foundation
import ImageCatalog
import ImageModel

/// A catalog of a number of images with five active locations each.
struct SampleCatalog {
    static let locationsEach = 5

    let catalog: SQLiteCatalog
    let images: [ImageID]

    init(of count: Int, at path: String) async throws {
        catalog = try SQLiteCatalog(path: path)
        var images: [ImageID] = []
        for index in 0..<count {
            let time = Date(timeIntervalSince1970: 1_790_000_000 + Double(index))
            let image = Image(
                id: ImageID(), name: "image-\(index &* 7919 % count)", visibility: .public, diskFormat: .qcow2,
                containerFormat: .bare, createdAt: time, updatedAt: time)
            try await catalog.createImage(image)
            let digest = try Digest(.sha256, bytes: (0..<32).map { UInt8(truncatingIfNeeded: index >> ($0 % 8)) })
            let locations = (0..<Self.locationsEach).map { number in
                NewLocation(
                    image: image.id, backend: BackendID("backend-\(number)"), path: "images/\(index)",
                    url: "http://backend-\(number)/images/\(index)", format: Format(disk: .qcow2, container: .bare),
                    size: Int64(index) << 20, digests: DigestSet([digest]))
            }
            _ = try await catalog.update(image.id, for: nil, at: time, actor: "benchmark") { edit in
                for location in locations {
                    edit.entries.append(.new(.init(location, validator: Validator("\"1\""), isActive: true)))
                }
            }
            images.append(image.id)
        }
        self.images = images
    }
}
