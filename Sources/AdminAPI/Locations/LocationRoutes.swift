import Access
import AdminContract
import BackendKit
import FoundationEssentials
import GlanceAPI
import HTTPServing
import HTTPTypes
import Hummingbird
import ImageCatalog
import ImageModel
import LocationLifecycle
import RelayEngine

/// `/baton/v1/images/{id}/locations`.
struct LocationRoutes: Sendable {
    private typealias Member = LocationRegistration.CodingKeys

    let catalog: any Catalog
    let authorizer: ImageAuthorizer
    let attach: AttachAuthorizer
    let registrar: LocationRegistrar
    let health: HealthRecord

    /// The largest size in bytes, 1 EiB. No disk image is larger, and the sum of two sizes does not overflow.
    private static let largestSize: Int64 = 1 << 60

    func list(_ request: Request, context: APIContext) async throws -> Response {
        let id = try context.imageID()
        guard try await catalog.image(id) != nil else { throw APIError.notFound(image: id.description) }
        let locations = try await catalog.locations(of: id)
        var page = JSONPage()
        let rest = try Marker.rest(of: locations, QueryItems(request.uri.query), \.id.description)
        let last = try await page.fill(with: rest, for: context) { document(of: $0) }
        return try page.response(
            of: LocationDocument.self, next: last.map { Marker.next(AdminPath.locations(of: id), behind: $0.id.description) })
    }

    /// A pending location has the last failure that this process has seen of it.
    private func document(of location: Location) -> LocationDocument {
        guard location.state.status == .pending, let last = health.lastFailure(of: location.id) else {
            return LocationDocument(location)
        }
        return LocationDocument(location, problem: last.failure.description)
    }

    /// Registers a location, also in a drain: one that needs a full read stays pending, and the next server reads it.
    func add(_ request: Request, context: APIContext) async throws -> Response {
        let image = try await authorizer.image(context).record.image
        try attach.registry.authorizeAttaching(context.caller, to: image)
        var body = try await RequestObject(request, for: context, upTo: JSONValue.largestLimit)
        let new = try newLocation(&body, image, context.caller)
        try await attach.authorize(context.caller, toAttach: new.path, in: new.backend, to: image)
        let (activated, failure) = try await registrar.register(new, actor: context.caller.user)
        return try LocationDocument(activated, problem: failure?.description).response(status: .created)
    }

    /// Reads a `LocationRegistration` member by member, so that each error names its member.
    private func newLocation(_ body: inout RequestObject, _ image: Image, _ caller: Caller) throws -> NewLocation {
        guard let text = try body.string(Member.url.rawValue, limit: 4096) else { throw APIError.badRequest("url is missing.") }
        let resolved = try resolve(text, for: caller)
        guard let disk = try body.choice(Member.diskFormat.rawValue, of: DiskFormat.self) ?? image.diskFormat else {
            throw APIError.badRequest("disk_format is missing, and the image has none.")
        }
        guard
            let container = try body.choice(Member.containerFormat.rawValue, of: ContainerFormat.self)
                ?? image.containerFormat
        else { throw APIError.badRequest("container_format is missing, and the image has none.") }
        let size = try body.integer(Member.size.rawValue, in: 0...Self.largestSize)
        let digests = try digests(&body)
        let weight = try body.weight() ?? 0
        let tier = try body.tier() ?? 0
        let metadata = try body.metadata() ?? [:]
        try body.rejectUnknown(known: Member.sentence)
        return NewLocation(
            image: image.id, backend: resolved.backend.id, path: resolved.path, url: resolved.url,
            format: Format(disk: disk, container: container), size: size, digests: digests, weight: weight, tier: tier,
            metadata: metadata)
    }

    private func digests(_ body: inout RequestObject) throws -> DigestSet {
        guard var object = try body.object(Member.digests.rawValue) else { return DigestSet() }
        var digests = DigestSet()
        for algorithm in DigestAlgorithm.byPreference {
            guard let hex = try object.string(algorithm.rawValue) else { continue }
            do {
                digests[algorithm] = try Digest(algorithm, hex: hex)
            } catch {
                throw APIError.badRequest("digests.\(algorithm.rawValue): \(error).")
            }
        }
        try object.rejectUnknown(known: "sha256, sha512, sha1 and md5")
        return digests
    }

    /// Finds the backend that contains a URL. URLs outside every configured backend are refused, so that a caller can't make the
    /// server read anything else. `BackendRegistry.resolve(location:)` does the same for Glance's API, in Glance's words.
    /// - Throws: `APIError` 400 for a text that is not the URL of a location, 403 for one outside every configured backend.
    private func resolve(_ text: String, for caller: Caller) throws -> ResolvedURL {
        let found: ResolvedURL?
        do {
            found = try attach.registry.resolve(text)
        } catch {
            throw APIError.badRequest("url: \(error).")
        }
        guard let found else {
            // Only admins learn where the storage is.
            guard caller.isAdmin else { throw APIError(.forbidden, "The URL lies in no configured backend.") }
            let known = attach.registry.all.map { "\($0.id) (\($0.urlPrefix))" }.joined(separator: ", ")
            throw APIError(
                .forbidden, "The URL lies in no configured backend; configured are: \(known.isEmpty ? "none" : known).")
        }
        return found
    }
}
