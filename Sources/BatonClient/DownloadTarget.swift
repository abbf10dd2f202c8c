import CurlTransfer
import FoundationEssentials
package import ImageModel

/// The server's description of an image's data, before any of it is fetched.
package struct DownloadTarget: Sendable, Equatable {
    /// The path of the data on the server.
    package let path: String
    /// The size in bytes.
    package let size: Int64
    /// The digest that verifies the data.
    package let digest: Digest
    /// The entity tag, to resume only the same content.
    package let entityTag: String
    /// Whether a partial file may be resumed; false while the image is on integrity hold.
    package let isResumable: Bool
}

extension Endpoint {
    /// Fetches the description of an image's data.
    /// - Parameter query: further parameters of the request, each encoded, e.g. `disk_format=raw`.
    /// - Throws: `ClientError`.
    package func target(image: ImageID, query: [String]) async throws -> DownloadTarget {
        let path = "/v2/images/\(image)/file" + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
        let answer = try await exchange(request(path, method: .head))
        if answer.head.status == 204 {
            throw ClientError(.refused(status: 204), "The image has no data yet: add a location with `baton location add`.")
        }
        guard answer.head.status == 200 else {
            throw try await explainedRefusal(of: path) ?? refusal(answer)
        }
        guard let size = answer.head["content-length"].flatMap({ Int64($0) }), let tag = answer.head["etag"],
            let digest = Digest(entityTag: tag)
        else {
            throw ClientError(.invalidInput, "\(url) says neither size nor digest of the image; is it a Baton server?")
        }
        return DownloadTarget(
            path: path, size: size, digest: digest, entityTag: tag,
            isResumable: answer.head["accept-ranges"]?.lowercased() == "bytes")
    }
}

extension Digest {
    /// Parses the identity digest in Baton's entity tags: `"sha256-9f86…"`.
    init?(entityTag: String) {
        let parts = entityTag.trimmingQuotes().split(separator: "-", maxSplits: 1)
        guard parts.count == 2, let algorithm = DigestAlgorithm(rawValue: String(parts[0])),
            let digest = try? Digest(algorithm, hex: String(parts[1]))
        else { return nil }
        self = digest
    }
}

extension String {
    fileprivate func trimmingQuotes() -> Substring {
        count >= 2 && hasPrefix("\"") && hasSuffix("\"") ? dropFirst().dropLast() : self[...]
    }
}
