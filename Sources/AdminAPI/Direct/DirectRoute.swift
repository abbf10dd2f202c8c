import AdminContract
import FoundationEssentials
import GlanceAPI
import HTTPServing
import HTTPTypes
import Hummingbird
import ImageCatalog
import ImageModel

/// `GET /baton/v1/images/{id}/direct`: the URLs at which a trusted client can read an image by itself, and the digests to verify
/// it with.
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
        let query: [(name: AdminQuery, value: String)] = [
            (.diskFormat, format.disk.rawValue), (.containerFormat, format.container.rawValue),
        ]
        return try DirectDocument(
            representation, digests: target.digests,
            locations: offer.locations.map {
                DirectLocationDocument($0.location, url: $0.url, expires: $0.expires, isHealthy: $0.isHealthy)
            },
            absence: offer.reason?.rawValue,
            // The server's own stream is always possible.
            stream: AdminPath.path("/v2/images/\(representation.image)/file", query: query)
        ).response(headers: [.cacheControl: "no-store"])
    }
}
