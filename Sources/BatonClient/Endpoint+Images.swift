import FoundationEssentials
package import ImageModel

// Requests of the command line other than image data.
extension Endpoint {
    /// Fetches all images, page by page.
    /// - Parameter name: only images with this name; nil for all.
    /// - Throws: `ClientError`.
    package func images(named name: String? = nil) async throws -> [ImageRecord] {
        struct Page: Decodable {
            let images: [ImageRecord]
            let next: String?
        }
        let query = name.map { "&name=\(PercentEncoding.encode($0))" } ?? ""
        var next: String? = "/v2/images?limit=1000" + query
        var images: [ImageRecord] = []
        while let path = next {
            let page = try await send("GET", path).decoded(as: Page.self)
            images += page.images
            next = page.images.isEmpty ? nil : page.next.map { $0.contains("name=") ? $0 : $0 + query }
        }
        return images
    }

    /// Resolves an id, or a name that only one image has.
    /// - Throws: `ClientError`.
    package func imageID(_ text: String) async throws -> ImageID {
        if let id = ImageID(text) { return id }
        let matches = try await images(named: text)
        guard let match = matches.first, let id = ImageID(match.id) else {
            throw ClientError(.refused(status: 404), "No image has the name \(text): `baton image list` shows those there are.")
        }
        guard matches.count == 1 else {
            let ids = matches.map(\.id).joined(separator: ", ")
            throw ClientError(.refused(status: 409), "\(matches.count) images have the name \(text): give an id of \(ids).")
        }
        return id
    }

    /// Fetches one image.
    /// - Throws: `ClientError`.
    package func image(_ id: ImageID) async throws -> ImageRecord {
        try await send("GET", "/v2/images/\(id)").decoded(as: ImageRecord.self)
    }

    /// Fetches an image's locations, page by page.
    /// - Returns: all locations, and the list as the server sent it.
    /// - Throws: `ClientError`.
    package func locations(of image: ImageID) async throws -> (records: [LocationRecord], list: PagedList) {
        struct Page: Decodable { let locations: [LocationRecord] }
        let list = try await list("/baton/v1/images/\(image)/locations")
        return (try list.decoded(as: Page.self).flatMap(\.locations), list)
    }
}
