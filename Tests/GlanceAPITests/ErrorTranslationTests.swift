import HTTPTypes
import ImageCatalog
import Testing

@testable import GlanceAPI
@testable import HTTPServing

/// What clients are told about a catalog that fails.
@Suite struct ErrorTranslationTests {
    private static let path = "/var/lib/baton/catalog.sqlite"

    @Test(
        "No answer reveals the catalog's path or SQLite's message",
        arguments: [
            (CatalogError.busy(path: path), 503), (.diskFull(path: path), 507), (.damaged(path: path, message: "detail"), 500),
            (.newerSchema(path: path), 500), (.unusable(path: path, message: "detail"), 500),
        ])
    func failuresOfOurs(error: CatalogError, status: Int) {
        let answer = APIError(error)
        #expect(answer.status.code == status && error.isServerFault)
        #expect(!answer.message.contains("/") && !answer.message.contains("detail") && answer.message.hasSuffix("."))
        #expect((answer.headers[.retryAfter] != nil) == (status == 503), "clients may come again when it is only busy")
    }

    @Test("An error in the request is reported in full")
    func failuresOfTheirs() {
        let error = CatalogError.overQuota(.images(limit: 3))
        #expect(APIError(error).message == error.description && APIError(error).headers.isEmpty)
    }
}
