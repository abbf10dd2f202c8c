import CurlTransfer
import FoundationEssentials
package import ImageModel

/// What the server says an image's data are, before any of them is fetched.
package struct DownloadTarget: Sendable, Equatable {
    /// The path of the data on the server.
    package let path: String
    /// How many bytes.
    package let size: Int64
    /// What verifies them.
    package let digest: Digest
    /// The entity tag, to go on with the same bytes only.
    package let entityTag: String
    /// Whether a partial file may be completed; not while the server holds the image.
    package let isResumable: Bool
}

extension Endpoint {
    /// Asks what an image's data are.
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
    /// Baton's entity tags spell the identity digest: `"sha256-9f86…"`.
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
