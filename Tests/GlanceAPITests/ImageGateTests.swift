import Access
import Foundation
import HTTPTypes
import Hummingbird
import ImageCatalog
import ImageModel
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import APIFixture
@testable import GlanceAPI
@testable import HTTPServing

/// A right that is lost between its first check and the change.
@Suite struct ImageGateTests {
    /// A store in which another request is faster: `race` runs between the read of an image and the change of it.
    private struct RacingStore: ImageStore {
        let inner: SQLiteCatalog
        let race: @Sendable (ImageID) async throws -> Void

        func record(of image: ImageID, for project: String?) async throws -> ImageRecord? {
            let record = try await inner.record(of: image, for: project)
            try await race(image)
            return record
        }

        func update(
            _ image: ImageID, for project: String?, at time: Date, actor: String,
            _ change: @escaping @Sendable (inout ImageEdit) throws -> Void
        ) async throws -> ImageRecord {
            try await inner.update(image, for: project, at: time, actor: actor, change)
        }

        func createImage(_ image: Image, quota: ProjectQuota) async throws {
            try await inner.createImage(image, quota: quota)
        }
        func image(_ id: ImageID) async throws -> Image? { try await inner.image(id) }
        func page(_ query: ImageQuery) async throws -> CatalogPage<ImageRecord> { try await inner.page(query) }
        func resolve(_ image: ImageID, format: RequestedFormat) async throws -> Resolution? {
            try await inner.resolve(image, format: format)
        }
        func deleteImage(_ id: ImageID) async throws { try await inner.deleteImage(id) }
        func hasUsed(_ id: ImageID) async throws -> Bool { try await inner.hasUsed(id) }
        func imagesBeingSaved() async throws -> [ImageID] { try await inner.imagesBeingSaved() }
        func recoverUploads(_ images: [ImageID], at time: Date) async throws {
            try await inner.recoverUploads(images, at: time)
        }
        func recoverImagesAfterStart(at time: Date, cutOff: [ImageID]) async throws {
            try await inner.recoverImagesAfterStart(at: time, cutOff: cutOff)
        }
    }

    private static let owner = Caller(user: "o", project: "mine", roles: [.member])

    /// Renames an image as its owner while `race` runs, and returns the outcome.
    private func rename(
        _ race: @escaping @Sendable (SQLiteCatalog, ImageID) async throws -> Void
    ) async throws -> (status: Int?, name: String?) {
        let fixture = try APIFixture()
        let image = try await fixture.image(owner: "mine")
        let catalog = fixture.catalog
        let authorizer = ImageAuthorizer(images: RacingStore(inner: catalog) { try await race(catalog, $0) })
        let router = Router(context: APIContext.self)
        router.get("images/:id") { _, context in
            var context = context
            context.caller = Self.owner
            try await authorizer.update(context) { $0.image.name = "changed" }
            return Response(status: .ok)
        }
        let head = HTTPRequest(method: .get, scheme: "http", authority: "baton", path: "/images/\(image)")
        let context = APIContext(
            source: ApplicationRequestContextSource(
                channel: NIOAsyncTestingChannel(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        var status: Int?
        do {
            let response = try await router.buildResponder().respond(
                to: Request(head: head, body: RequestBody(buffer: ByteBuffer())), context: context)
            status = response.status.code
        } catch let error as APIError {
            status = error.status.code
        }
        return (status, try await catalog.image(image)?.name)
    }

    @Test("An owner can change an image")
    func withoutARace() async throws {
        let (status, name) = try await rename { _, _ in }
        #expect(status == 200 && name == "changed")
    }

    @Test("A caller that loses the right to an image before the change is made changes nothing")
    func theRightIsLostBeforeTheTransaction() async throws {
        let (status, name) = try await rename { catalog, image in
            _ = try await catalog.update(image, for: nil, at: .now, actor: "another request") { $0.image.owner = "another" }
        }
        #expect(status == 403 && name == "n")
    }
}
