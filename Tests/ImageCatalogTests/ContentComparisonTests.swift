import ImageModel
import Testing

@testable import ImageCatalog

/// Contents whose digests differ in one byte, at each position.
@Suite struct ContentComparisonTests {
    @Test(
        "A location whose digest differs in any one byte has other content",
        arguments: DigestAlgorithm.allCases)
    func joining(algorithm: DigestAlgorithm) async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        let bytes = [UInt8](repeating: 0xAA, count: algorithm.byteCount)
        try await fixture.location(of: image, path: "first", digests: [Digest(algorithm, bytes: bytes)])
        for place in bytes.indices {
            var changed = bytes
            changed[place] ^= 1
            let other = try Digest(algorithm, bytes: changed)
            await #expect(throws: CatalogError.self, "byte \(place)") {
                try await fixture.location(of: image, path: "other \(place)", digests: [other])
            }
        }
        #expect(try await fixture.catalog.locations(of: image.id).count == 1)
    }
}
