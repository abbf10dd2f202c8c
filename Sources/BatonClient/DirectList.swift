import BackendKit
import CurlTransfer
import FoundationEssentials
import ImageModel
import RelayEngine

/// The locations of an image that the server lets this client read directly, the best first.
struct DirectList: Decodable, Sendable {
    struct Place: Decodable, Sendable {
        let location: String
        let backend: String
        let url: String
    }

    let size: Int64
    let digest: String
    let locations: [Place]

    /// The locations as sources of a relay.
    var sources: [RelaySource] {
        locations.map { place in
            RelaySource(
                location: LocationID(place.location) ?? LocationID(), backend: BackendID(place.backend), path: "",
                driver: DirectDriver(url: place.url))
        }
    }

    /// Whether the list describes the content that this download began with.
    func isAbout(_ target: DownloadTarget) -> Bool { size == target.size && digest == target.digest.description }
}

extension Endpoint {
    /// Fetches the direct locations of an image.
    /// - Throws: `ClientError`; of the kind `refused` with status 403 if this client is not trusted.
    func directList(of image: ImageID, query: [String]) async throws -> DirectList {
        let path = "/baton/v1/images/\(image)/direct" + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
        return try await send("GET", path).decoded(as: DirectList.self)
    }
}
