import Foundation
import ImageModel
import Testing

@testable import ImageCatalog

/// Pages that end by their bytes.
@Suite struct PageTests {
    @Test("A page of images ends at its limit of bytes, and the next one continues after it", arguments: [0, 3])
    func imagesAreCutByBytes(locations: Int) async throws {
        let fixture = try Fixture()
        var ids: Set<ImageID> = []
        for number in 0..<40 {
            let image = try await fixture.image {
                $0.name = "\(number)"
                $0.properties = ["about": String(repeating: "x", count: 10_000)]
            }
            for location in 0..<locations { try await fixture.location(of: image, path: "\(number)/\(location)") }
            ids.insert(image.id)
        }
        var query = ImageQuery()
        query.limit = 1000
        query.pageSize = 100_000
        var seen: [ImageID] = []
        while true {
            let page = try await fixture.catalog.page(query)
            #expect((1...10).contains(page.items.count))
            seen += page.items.map(\.image.id)
            guard page.isCut, let last = page.items.last, seen.count <= ids.count else { break }
            query.marker = last.image.id
        }
        #expect(seen.count == ids.count && Set(seen) == ids)
    }

    @Test("An image that is larger than a page is a page of its own")
    func oneLargeImageIsAPage() async throws {
        let fixture = try Fixture()
        for _ in 0..<2 { _ = try await fixture.image { $0.properties = ["about": String(repeating: "x", count: 10_000)] } }
        var query = ImageQuery()
        query.pageSize = 1
        let first = try await fixture.catalog.page(query)
        #expect(first.items.count == 1 && first.isCut)
        query.marker = first.items.last?.image.id
        let second = try await fixture.catalog.page(query)
        #expect(second.items.count == 1 && !second.isCut)
    }

    @Test("A page that ends at its limit of items is not cut")
    func countEndsThePage() async throws {
        let fixture = try Fixture()
        for _ in 0..<450 { _ = try await fixture.image() }
        var query = ImageQuery()
        query.limit = 430
        let page = try await fixture.catalog.page(query)
        #expect(page.items.count == 430 && !page.isCut)
        query.limit = 0
        #expect(try await fixture.catalog.page(query).items.isEmpty)
    }

    @Test("A page of tasks ends at its limit of bytes")
    func tasksAreCutByBytes() async throws {
        let fixture = try Fixture()
        var tasks: [ImageTask] = []
        for _ in 0..<10 {
            let task = ImageTask(
                kind: "location_import", image: ImageID(), owner: nil, user: "u", request: "r",
                input: "\"\(String(repeating: "x", count: 10_000))\"", createdAt: Fixture.start, updatedAt: Fixture.start)
            try await fixture.catalog.add(task)
            tasks.append(task)
        }
        var query = TaskQuery()
        query.pageSize = 40_000
        let page = try await fixture.catalog.page(query)
        #expect(page.items == tasks.suffix(3).reversed() && page.isCut)
        query.marker = page.items.last?.id
        #expect(try await fixture.catalog.page(query).items.first == tasks[6])
    }
}
