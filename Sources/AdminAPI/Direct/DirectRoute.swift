import FoundationEssentials
import GlanceAPI
import HTTPServing
import HTTPTypes
import Hummingbird
import ImageCatalog
import ImageModel

/// `GET /baton/v1/images/{id}/direct`: where a trusted client can read an image by itself, and with what to verify it.
struct DirectRoute: Sendable {
    let representations: RepresentationResolver
    let offers: DirectOffers

    func list(_ request: Request, context: APIContext) async throws -> Response {
        guard let target = try await representations.representation(request, context) else {
            return Response(status: .noContent)
        }
        let offer = offers.offer(of: target, at: .now)
        let representation = target.representation
        let format = representation.format
        let query = "disk_format=\(format.disk.rawValue)&container_format=\(format.container.rawValue)"
        var response = try JSONValue.object([
            "image": .string(representation.image.description), "disk_format": .string(format.disk.rawValue),
            "container_format": .string(format.container.rawValue), "size": .integer(representation.size),
            "digest": .string(representation.identity.description), "digests": .digests(target.digests),
            "etag": .string(representation.entityTag),
            "locations": .array(offer.places.map { document(of: $0) }), "absence": .optional(offer.absence?.rawValue),
            // The last resort, and the only way there always is.
            "stream": .string("/v2/images/\(representation.image)/file?\(query)"),
        ]).response()
        response.headers[.cacheControl] = "no-store"
        return response
    }

    private func document(of place: DirectOffer.OfferedLocation) -> JSONValue {
        let location = place.location
        return .object([
            "location": .string(location.id.description), "backend": .string(location.backend.name),
            "url": .string(place.url), "expires": place.expires.map { .time($0) } ?? .null,
            "healthy": .boolean(place.isHealthy), "size": location.size.map { .integer($0) } ?? .null,
            "digests": .digests(location.digests), "verified_at": location.verifiedAt.map { .time($0) } ?? .null,
        ])
    }
}
