import ImageCatalog
import ImageModel

/// A catalog read that requests perform.
enum CatalogRead: String, CaseIterable {
    case firstPage = "list, the first page"
    case laterPage = "list, a page in the middle"
    case pageByName = "list, a page sorted by name"
    case show, resolve

    /// Performs it once, for another image in each round.
    func run(on sample: SampleCatalog, round: Int) async throws {
        let image = sample.images[round &* 7919 % sample.images.count]
        switch self {
        case .firstPage: try await list(sample) { _ in }
        case .laterPage: try await list(sample) { $0.marker = image }
        case .pageByName:
            try await list(sample) {
                $0.order = [ImageOrder(.name, .ascending)]
                $0.marker = image
            }
        case .show:
            guard try await sample.catalog.record(of: image, for: nil) != nil else { fatalError("an image is missing") }
        case .resolve:
            guard let resolution = try await sample.catalog.resolve(image, format: RequestedFormat()),
                resolution.locations.count == SampleCatalog.locationsEach
            else { fatalError("locations are missing") }
        }
    }

    private func list(_ sample: SampleCatalog, _ change: (inout ImageQuery) -> Void) async throws {
        var query = ImageQuery()
        change(&query)
        _ = try await sample.catalog.records(query)
    }
}
