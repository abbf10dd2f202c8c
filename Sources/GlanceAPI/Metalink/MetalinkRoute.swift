import Downloads
import FoundationEssentials
import HTTPServing
import HTTPTypes
import Hummingbird
import ImageCatalog
import ImageModel
import Integrity
import NIOCore

/// `GET` and `HEAD /v2/images/{id}/file` for clients that request a Metalink document (RFC 5854) instead of the bytes.
struct MetalinkRoute: Sendable {
    let manifests: ManifestCache

    /// Whether a request is for the document. The parameter `metalink` overrides the `Accept` field: clients such as aria2 send
    /// the same fields with every request, and would otherwise receive the document again instead of the bytes.
    /// - Throws: `APIError` 400 for a value other than true and false.
    static func isWanted(_ request: Request) throws(APIError) -> Bool {
        switch request.uri.queryParameters["metalink"] {
        case nil: AcceptHeader(request.headers[.accept]).prefers(MetalinkDocument.mediaType, to: "application/octet-stream")
        case "false": false
        case "true": true
        case .some(let text): throw .badRequest("metalink must be true or false, not \(text.excerpt(32)).")
        }
    }

    /// The document, or 304 if it has not changed.
    /// - Parameter offer: the direct locations; nil if the caller may not see them.
    func answer(
        _ request: Request, about target: ReadableRepresentation, offer: DirectOffer?, _ context: APIContext
    ) async throws -> Response {
        let manifest = await manifest(of: target)
        let document = MetalinkDocument(
            name: FileName.of(target.representation, image: target.resolution.image), size: target.representation.size,
            digests: target.digests.all, urls: urls(context.serverAddress(of: request), target, offer),
            published: target.resolution.image.createdAt, layout: manifest?.stored.layout)
        var headers: HTTPFields = [.vary: "Accept", .acceptRanges: "none"]
        headers[.eTag] = Self.entityTag(document, manifest?.stored)
        if let tag = headers[.eTag] { try DownloadRoute.checkPrecondition(of: request, tag: tag) }
        // The URLs of locations are for this client only and may expire soon.
        if offer?.locations.isEmpty == false { headers[.cacheControl] = "no-store" }
        if let field = request.headers[.ifNoneMatch], let tag = headers[.eTag], EntityTag.matches(field, tag) {
            return Response(status: .notModified, headers: headers)
        }
        headers[.contentType] = MetalinkDocument.mediaType
        headers[.contentLength] = String(document.length)
        guard request.method != .head else { return Response(status: .ok, headers: headers) }
        return Response(status: .ok, headers: headers, body: body(document, manifest))
    }

    /// The URLs in order: healthy locations, Baton itself, then the locations that failed recently.
    private func urls(
        _ server: String, _ target: ReadableRepresentation, _ offer: DirectOffer?
    ) -> [String] {
        let format = target.representation.format
        let own =
            "\(server)/v2/images/\(target.representation.image)/file"
            + "?disk_format=\(format.disk.rawValue)&container_format=\(format.container.rawValue)&metalink=false"
        let locations = offer?.locations ?? []
        return locations.filter(\.isHealthy).map(\.url) + [own] + locations.filter { !$0.isHealthy }.map(\.url)
    }

    /// A strong entity tag. The manifest's number stands for its digests.
    private static func entityTag(_ document: MetalinkDocument, _ manifest: StoredManifest?) -> String {
        let stream = DigestStream(.sha256)
        let text = "\(manifest.map { String($0.number) } ?? "none")\n\(document.head)\(document.tail)"
        Array(text.utf8).withUnsafeBytes { stream.update($0) }
        return "\"metalink-\(stream.finish().hex)\""
    }
}

// Pieces.
extension MetalinkRoute {
    /// A manifest with its first page.
    private struct OpenManifest {
        let stored: StoredManifest
        let first: [UInt8]
    }

    /// The manifest; nil if there is none or it is disputed. A manifest was computed from bytes whose whole digest matched, so
    /// an integrity hold, which concerns locations, does not affect it. A digest conflict does.
    private func manifest(of target: ReadableRepresentation) async -> OpenManifest? {
        guard let stored = target.resolution.manifest, !target.representation.hasDigestConflict,
            let first = await manifests.page(0, of: stored)
        else { return nil }
        return OpenManifest(stored: stored, first: first)
    }

    private func body(_ document: MetalinkDocument, _ manifest: OpenManifest?) -> ResponseBody {
        ResponseBody(contentLength: document.length) { writer in
            try await writer.write(ByteBuffer(string: document.head))
            if let manifest {
                try await writer.write(ByteBuffer(bytes: document.pieces(of: manifest.first)))
                for number in 1..<max(1, manifest.stored.layout.pageCount) {
                    guard let page = await manifests.page(number, of: manifest.stored) else { throw ManifestGone() }
                    try await writer.write(ByteBuffer(bytes: document.pieces(of: page)))
                }
            }
            try await writer.write(ByteBuffer(string: document.tail))
            try await writer.finish(nil)
        }
    }
}

/// Ends a document before its declared length, because its manifest was removed meanwhile.
private struct ManifestGone: Error {}
