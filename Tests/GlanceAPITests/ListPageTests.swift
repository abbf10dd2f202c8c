import Foundation
import HTTPTypes
import ImageCatalog
import ImageModel
import Testing

@testable import APIFixture
@testable import GlanceAPI
@testable import HTTPServing

/// Long lists of the API, followed by their links.
@Suite(.timeLimit(.minutes(5))) struct ListPageTests {
    /// The ids that a list shows, page by page.
    private func ids(_ name: String, at path: String, _ fixture: APIFixture) async throws -> (ids: [String], pages: Int) {
        var ids: [String] = []
        var pages = 0
        var next: String? = path
        while let path = next, pages < 20 {
            let answer = try await fixture.send(.get, path)
            #expect(answer.status == 200)
            #expect(answer.text.utf8.count < JSONPage.largestSize + 100_000)
            guard case .array(let items) = answer[name] else { break }
            ids += items.compactMap { $0.members?["id"]?.text }
            pages += 1
            next = answer["next"]?.text
        }
        return (ids, pages)
    }

    @Test("A list of large images is paged by bytes, and its links lead to each image once")
    func largeImages() async throws {
        let fixture = try APIFixture()
        var expected: Set<String> = []
        for _ in 0..<300 {
            let image = Image(
                id: ImageID(), owner: "mine", properties: ["about": String(repeating: "x", count: 65_000)], createdAt: .now,
                updatedAt: .now)
            try await fixture.catalog.createImage(image)
            expected.insert(image.id.description)
        }
        let (ids, pages) = try await ids("images", at: "/v2/images?limit=1000", fixture)
        #expect(pages == 2)
        #expect(ids.count == expected.count && Set(ids) == expected)
    }

    @Test("The tasks of an image are paged by bytes too, and their link leads to the rest")
    func largeTasks() async throws {
        let fixture = try APIFixture()
        let image = try await fixture.image(owner: "mine")
        for _ in 0..<20 {
            let input = "\"\(String(repeating: "x", count: 1_000_000))\""
            try await fixture.catalog.add(
                ImageTask(
                    kind: "location_import", image: image, owner: nil, user: "u", request: "r", input: input, createdAt: .now,
                    updatedAt: .now))
        }
        let (ids, pages) = try await ids("tasks", at: "/v2/images/\(image)/tasks", fixture)
        #expect(pages == 2)
        #expect(ids.count == 20 && Set(ids).count == 20)
        let (all, _) = try await self.ids("tasks", at: "/v2/tasks?limit=7", fixture)
        #expect(all.count == 20 && Set(all) == Set(ids))
    }
}
