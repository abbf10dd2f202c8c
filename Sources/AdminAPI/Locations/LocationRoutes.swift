import Access
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
    let catalog: any CatalogStore
    let authorizer: ImageAuthorizer
    let attach: AttachAuthorizer
    let registrar: LocationRegistrar
    let relays: Relays

    /// Larger than any disk image, small enough that no sum of two overflows: 1 EiB.
    private static let largestSize: Int64 = 1 << 60
    private static let fields =
        "url, disk_format, container_format, size, digests, weight, tier and metadata"

    func list(_ request: Request, context: APIContext) async throws -> Response {
        let id = try context.imageID()
        guard try await catalog.image(id) != nil else { throw APIError.notFound(image: id.description) }
        let locations = try await catalog.locations(of: id)
        var page = JSONPage()
        let rest = try Marker.rest(of: locations, QueryItems(request.uri.query), \.id.description)
        let last = try await page.fill(with: rest, for: context) { document(of: $0) }
        let next = last.map { Marker.next("/baton/v1/images/\(id)/locations", behind: $0.id.description) }
        return try page.response("locations", next.map { ["next": $0] } ?? [:])
    }

    /// A pending one with what keeps it from serving, as far as this process knows.
    private func document(of location: Location) -> JSONValue {
        guard location.state.status == .pending, let last = relays.lastFailure(of: location.id),
            case .object(var fields) = JSONValue.location(location)
        else { return .location(location) }
        fields["problem"] = .string(last.failure.description)
        return .object(fields)
    }

    func add(_ request: Request, context: APIContext) async throws -> Response {
        let image = try await authorizer.image(context).record.image
        try attach.registry.authorizeAttaching(context.caller, to: image)
        var body = try await RequestObject(request, for: context, upTo: JSONValue.largestLimit)
        let new = try newLocation(&body, image, context.caller)
        try await attach.authorize(context.caller, toAttach: new.path, in: new.backend, to: image)
        let (activated, failure) = try await registrar.register(new, actor: context.caller.user)
        guard case .object(var document) = JSONValue.location(activated) else { return Response(status: .created) }
        if let failure { document["problem"] = .string(failure.description) }
        return try JSONValue.object(document).response(status: .created)
    }

    private func newLocation(_ body: inout RequestObject, _ image: Image, _ caller: Caller) throws -> NewLocation {
        guard let text = try body.string("url", limit: 4096) else { throw APIError.badRequest("url is missing.") }
        let place = try place(of: text, for: caller)
        guard let disk = try body.choice("disk_format", of: DiskFormat.self) ?? image.diskFormat else {
            throw APIError.badRequest("disk_format is missing, and the image has none.")
        }
        guard let container = try body.choice("container_format", of: ContainerFormat.self) ?? image.containerFormat else {
            throw APIError.badRequest("container_format is missing, and the image has none.")
        }
        let size = try body.integer("size", in: 0...Self.largestSize)
        let digests = try digests(&body)
        let weight = try body.weight() ?? 0
        let tier = try body.tier() ?? 0
        let metadata = try body.metadata() ?? [:]
        try body.rejectUnknown(known: Self.fields)
        return NewLocation(
            image: image.id, backend: place.backend.id, path: place.path, url: place.url,
            format: Format(disk: disk, container: container), size: size, digests: digests, weight: weight, tier: tier,
            metadata: metadata)
    }

    private func digests(_ body: inout RequestObject) throws -> DigestSet {
        guard var object = try body.object("digests") else { return DigestSet() }
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

    /// The allow-list: a URL outside every configured backend can't be fetched.
    private func place(of text: String, for caller: Caller) throws -> ResolvedURL {
        let found: ResolvedURL?
        do {
            found = try attach.registry.place(of: text)
        } catch {
            throw APIError.badRequest("url: \(error).")
        }
        guard let found else {
            // Where the cloud keeps its images is not for everybody who may ask.
            guard caller.isAdmin else { throw APIError(.forbidden, "The URL lies in no configured backend.") }
            let known = attach.registry.all.map { "\($0.id) (\($0.urlPrefix))" }.joined(separator: ", ")
            throw APIError(
                .forbidden, "The URL lies in no configured backend; configured are: \(known.isEmpty ? "none" : known).")
        }
        return found
    }
}
