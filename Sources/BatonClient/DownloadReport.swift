import CurlTransfer
import FoundationEssentials
package import ImageModel

/// The outcome of a download.
package struct DownloadReport: Sendable {
    package internal(set) var target: DownloadTarget
    /// The origin of each byte.
    package internal(set) var origins: DownloadOrigins
    /// The failures of direct locations on the way, each a short text without a URL.
    package internal(set) var problems: [String]
    /// Whether the file already had the image's content, so that nothing was fetched.
    package internal(set) var isUnchanged = false
}

/// The origin of each byte of a download.
package struct DownloadOrigins: Sendable, Equatable {
    /// An origin of bytes.
    package enum Source: Sendable, Hashable {
        /// An earlier run had fetched them.
        case kept
        /// The server streamed them.
        case stream
        /// A location of this backend, read directly.
        case direct(backend: String)
    }

    /// A run of bytes from one origin.
    package struct Part: Sendable, Hashable {
        package let source: Source
        /// The offset of the first byte.
        package let first: Int64
        /// The offset of the last byte.
        package fileprivate(set) var last: Int64
    }

    /// The parts, without gaps from offset 0 on.
    package private(set) var parts: [Part] = []

    /// Whether any bytes came directly from a location.
    var hasDirect: Bool {
        parts.contains { part in
            if case .direct = part.source { true } else { false }
        }
    }

    private var end: Int64 { parts.last.map { $0.last + 1 } ?? 0 }

    /// Drops the bytes from this offset on, which no longer exist.
    mutating func cut(to offset: Int64) {
        parts.removeAll { $0.first >= offset }
        if let index = parts.indices.last { parts[index].last = min(parts[index].last, offset - 1) }
    }

    /// Assigns all new bytes up to this offset to the source.
    mutating func extend(to offset: Int64, from source: Source) {
        guard offset > end else { return }
        if let index = parts.indices.last, parts[index].source == source {
            parts[index].last = offset - 1
        } else {
            parts.append(Part(source: source, first: end, last: offset - 1))
        }
    }
}

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
            throw ClientError(.invalidInput, "\(url) did not send the size and the digest of the image; is it a Baton server?")
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
