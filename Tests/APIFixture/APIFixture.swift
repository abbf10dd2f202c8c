import Access
import BackendKit
import CurlTransfer
import Foundation
import HTTPBackend
import HTTPTypes
import Hummingbird
import ImageCatalog
import ImageModel
import LocationSelection
import Logging
import NIOCore
import NIOEmbedded
import RelayEngine
import Telemetry

@testable import AdminAPI
@testable import Downloads
@testable import GlanceAPI
@testable import HTTPServing
@testable import LocationLifecycle
@testable import Verification

/// The routes of Glance's API in this process, over a catalog of their own, with no network: every request names its caller.
final class APIFixture {
    /// Accepts every location as it is, since these tests do not depend on whether it can be read.
    private struct NoChecks: LocationChecks {
        let catalog: SQLiteCatalog

        func examine(_ new: NewLocation) async throws -> NewLocation {
            var completed = new
            if new.digests.isEmpty { completed.digests[.md5] = try Digest(.md5, hex: String(repeating: "a", count: 32)) }
            completed.size = new.size ?? 5
            return completed
        }

        func activate(_ location: Location) async throws -> (location: Location, failure: AttemptFailure?) {
            (try await admit(location, readsInFull: false), nil)
        }

        func admit(_ location: Location, readsInFull: Bool) async throws -> Location {
            try await catalog.apply(
                LocationChange(
                    .probed, of: location.id, actor: "test", reason: "not checked", at: .now, validator: Validator("v")))
        }
    }

    /// An answer, read.
    struct Answer {
        let status: Int
        let headers: HTTPFields
        let body: JSONValue
        /// The body in the parts in which it was written.
        let pieces: [Data]

        var text: String { String(decoding: pieces.joined(), as: UTF8.self) }

        subscript(name: String) -> JSONValue? { body.members?[name] }
    }

    private struct CallerOfTest: RouterMiddleware {
        typealias Context = APIContext

        @TaskLocal static var caller = Caller.everybody

        func handle(
            _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
        ) async throws -> Response {
            var context = context
            context.caller = Self.caller
            return try await next(request, context)
        }
    }

    let catalog: SQLiteCatalog
    let relays: Relays
    private let directory = NSTemporaryDirectory() + "baton-api-\(UUID().uuidString)"
    private let loop = TransferLoop(name: "test", slabSize: 65_536)
    private let responder: any HTTPResponder<APIContext>

    /// - Parameter backends: One web server with the id b by default.
    init(backends: [Backend]? = nil, quota: ProjectQuota = ProjectQuota()) throws {
        catalog = try SQLiteCatalog(path: directory + "/catalog.sqlite")
        let base = try LocationURL("http://127.0.0.1:1/")
        let registry = BackendRegistry(
            backends ?? [
                Backend(id: BackendID("b"), base: base, driver: HTTPDriver(base: base, connectTimeout: .seconds(1)))
            ])
        let relays = Relays(
            registry: registry, loops: [loop], policy: RelayPolicy(), strategy: .ordered, penalty: .seconds(3600))
        self.relays = relays
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let schedule = ReadSchedule(recheck: .seconds(3600), missInterval: .seconds(3600), scrubInterval: nil)
        let statusChanges = LocationStatusChanges(
            catalog: catalog, relays: relays, schedule: schedule, deleteDelay: .seconds(3600))
        let verifier = Verifier(
            catalog: catalog, statusChanges: statusChanges, schedule: schedule, registry: registry, loop: loop,
            settings: .init(stallTimeout: .seconds(1)), metrics: MetricsRegistry(), logger: logger)
        let verifications = VerificationQueue(
            verifier: verifier, pace: ReadRateLimiter(bytesPerSecond: nil), readers: 1, logger: logger)
        let manifests = ManifestCache(manifests: catalog, logger: logger)
        let holds = PendingIntegrityHolds(verifications: catalog)
        let deliveries = UnverifiedDeliveries(startedAt: .distantPast)
        let recorder = DownloadRecorder(
            catalog: catalog, verifications: verifications, holds: holds, deliveries: deliveries,
            metrics: DownloadMetrics(in: MetricsRegistry()))
        let offers = DirectOffers(relays: relays, lifetime: .seconds(600))
        let registrar = LocationRegistrar(
            catalog: catalog, checks: NoChecks(catalog: catalog), statusChanges: statusChanges)
        let images = ImagesAPI(
            catalog: catalog, relays: relays, recorder: recorder, holds: holds, deliveries: deliveries,
            manifests: manifests, offers: offers, registrar: registrar, statusChanges: statusChanges, uploads: Reloadable(nil),
            quota: Reloadable(quota), drain: Drain())
        let admin = AdminRoutes(
            catalog: catalog, relays: relays, holds: holds, deliveries: deliveries, manifests: manifests, offers: offers,
            registrar: registrar, statusChanges: statusChanges, verifications: verifications, uploads: Reloadable(nil),
            drain: Drain())
        let router = Router(context: APIContext.self)
        router.add(middleware: RequestIDMiddleware())
        router.add(middleware: RequestTextMiddleware())
        router.add(middleware: ErrorTranslation())
        router.add(middleware: CallerOfTest())
        images.add(to: router)
        admin.add(to: router)
        responder = router.buildResponder()
    }

    deinit {
        loop.stop()
        try? FileManager.default.removeItem(atPath: directory)
    }

    func send(
        _ method: HTTPRequest.Method, _ path: String, as caller: Caller = .everybody, type: String? = "application/json",
        headers: HTTPFields = [:], authority: String = "baton", _ body: String = ""
    ) async throws -> Answer {
        var fields = headers
        fields[.contentType] = type
        let head = HTTPRequest(method: method, scheme: "http", authority: authority, path: path, headerFields: fields)
        let request = Request(head: head, body: RequestBody(buffer: ByteBuffer(string: body)))
        let context = APIContext(
            source: ApplicationRequestContextSource(
                channel: NIOAsyncTestingChannel(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        let response = try await CallerOfTest.$caller.withValue(caller) {
            try await responder.respond(to: request, context: context)
        }
        let collector = Collector()
        try await response.body.write(collector)
        let value = try? JSONValue(reading: collector.pieces.value.joined())
        return Answer(
            status: response.status.code, headers: response.headers, body: value ?? .null, pieces: collector.pieces.value)
    }

    /// Keeps what a body writes.
    private struct Collector: ResponseBodyWriter {
        final class Box { var value: [Data] = [] }

        let pieces = Box()

        mutating func write(_ buffer: ByteBuffer) async throws { pieces.value.append(Data(buffer.readableBytesView)) }

        consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
    }

    /// A new image of an owner.
    func image(owner: String?, visibility: Image.Visibility = .shared, isActive: Bool = false) async throws -> ImageID {
        let now = Date.now
        let image = Image(
            id: ImageID(), name: "n", status: isActive ? .active : .queued, visibility: visibility, diskFormat: .raw,
            containerFormat: .bare, owner: owner, createdAt: now, updatedAt: now)
        try await catalog.createImage(image)
        return image.id
    }
}
