import BackendKit
import CurlTransfer
import FoundationEssentials
import ImageModel
import RelayEngine

/// The locations of an image that a server lets this client read by itself, the best first.
struct DirectList: Decodable, Sendable {
    struct Place: Decodable, Sendable {
        let location: String
        let backend: String
        let url: String
    }

    let size: Int64
    let digest: String
    let locations: [Place]

    /// The locations as a relay reads them.
    var sources: [RelaySource] {
        locations.map { place in
            RelaySource(
                location: LocationID(place.location) ?? LocationID(), backend: BackendID(place.backend), path: "",
                driver: DirectDriver(url: place.url))
        }
    }

    /// Whether it is about the bytes that this download began with.
    func isAbout(_ target: DownloadTarget) -> Bool { size == target.size && digest == target.digest.description }
}

extension Endpoint {
    /// Asks where an image can be read without the server.
    /// - Throws: `ClientError`; of the kind `refused` with status 403 when this client is not trusted.
    func directList(of image: ImageID, query: [String]) async throws -> DirectList {
        let path = "/baton/v1/images/\(image)/direct" + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
        return try await send("GET", path).decoded(as: DirectList.self)
    }
}
