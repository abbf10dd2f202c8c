import Access
package import Downloads
import FoundationEssentials
package import HTTPServing
import HTTPTypes
package import Hummingbird
package import ImageCatalog
package import ImageModel
import LocationSelection
package import RelayEngine

/// A representation that the caller may read.
package struct ReadableRepresentation {
    package let resolution: Resolution
    package let representation: Representation
    package let digests: DigestSet
}

/// Resolves a request to the representation that it reads. Every route for an image's bytes uses it.
package struct RepresentationResolver: Sendable {
    private let images: any ImageStore
    private let authorizer: ImageAuthorizer
    private let relays: Relays
    private let holds: PendingIntegrityHolds

    /// - Parameter holds: integrity holds that the catalog has not recorded yet.
    package init(images: any ImageStore, relays: Relays, holds: PendingIntegrityHolds) {
        self.images = images
        authorizer = ImageAuthorizer(images: images)
        self.relays = relays
        self.holds = holds
    }

    /// The representation that the path and the query name.
    /// - Returns: nil if the image never had a location, which is 204 as in Glance.
    /// - Throws: `APIError`: 404 for an unknown image, 403 for a deactivated one, 406 for a format that the image does not
    ///   have, 503 if no location has been read yet.
    package func representation(_ request: Request, _ context: APIContext) async throws -> ReadableRepresentation? {
        let authorized = try await authorizer.image(context)
        let id = authorized.id
        guard authorized.access.mayDownload else {
            throw APIError(.forbidden, "The image was deactivated: it can be downloaded again once it is reactivated.")
        }
        let format = try RequestedFormat(request)
        guard let resolution = try await images.resolve(id, format: format) else {
            throw APIError.notFound(image: id.description)
        }
        if resolution.formats.isEmpty { return nil }
        guard let representation = resolution.representation else {
            // The image has locations, but none has been read yet, so its size and digest are unknown.
            if !resolution.locations.isEmpty {
                throw APIError.unavailable(
                    relays.select(resolution.locations, for: .whole, size: 0, isExploring: false), relays.health)
            }
            let known = resolution.formats.map(\.description).joined(separator: ", ")
            throw APIError(.notAcceptable, "The image has no such representation; it has \(known).")
        }
        return ReadableRepresentation(
            resolution: resolution, representation: holds.applyingHolds(to: representation),
            digests: DigestSet(of: representation, locations: resolution.locations))
    }
}

extension ReadableRepresentation {
    /// The header fields that every response about the representation has.
    func entityHeaders(_ plan: DownloadPlan) -> HTTPFields {
        var headers: HTTPFields = [:]
        headers[.eTag] = representation.entityTag
        // `Accept` selects between the bytes and a Metalink document.
        headers[.vary] = "Accept"
        headers[.acceptRanges] = plan.servesRanges ? "bytes" : "none"
        return headers
    }

    /// The header fields of a response with bytes, without its length.
    func headers(_ plan: DownloadPlan) -> HTTPFields {
        var headers = entityHeaders(plan)
        // Without parameters: python-glanceclient streams no other type.
        headers[.contentType] = "application/octet-stream"
        if let md5 = digests[.md5], let field = HTTPField.Name("Content-MD5") { headers[field] = md5.hex }
        headers.append(contentsOf: digestHeaders)
        return headers
    }

    /// The strong digests (`Repr-Digest`, RFC 9530).
    var digestHeaders: HTTPFields {
        let known = [("sha-256", digests[.sha256]), ("sha-512", digests[.sha512])].compactMap { name, digest in
            digest.map { "\(name)=:\(Data($0.bytes).base64EncodedString()):" }
        }
        guard !known.isEmpty, let field = HTTPField.Name("Repr-Digest") else { return [:] }
        return [field: known.joined(separator: ", ")]
    }
}
