package import CurlTransfer
import FoundationEssentials

/// An image, as shown by the server.
package struct ServerImage: Codable, Sendable {
    package let id: String
    /// The name for people.
    package let name: String?
    /// `queued`, `saving`, `importing`, `active` or `deactivated`.
    package let status: String
    /// The visibility: which projects see the image.
    package let visibility: String
    /// The disk format of a plain download.
    package let diskFormat: String?
    /// The container format of a plain download.
    package let containerFormat: String?
    /// The size in bytes; nil while unknown.
    package let size: Int64?
    /// The MD5, if known.
    package let checksum: String?
    /// The algorithm of `digest`.
    package let digestAlgorithm: String?
    /// The strongest digest known.
    package let digest: String?
    package let createdAt: String

    private enum CodingKeys: String, CodingKey {
        case id, name, status, visibility, size, checksum
        case diskFormat = "disk_format"
        case containerFormat = "container_format"
        case digestAlgorithm = "os_hash_algo"
        case digest = "os_hash_value"
        case createdAt = "created_at"
    }
}

extension Exchange.Answer {
    /// Decodes the body as JSON.
    /// - Throws: `ClientError` if the body is not such a record.
    package func decoded<Record: Decodable>(as type: Record.Type) throws(ClientError) -> Record {
        do {
            return try JSONDecoder().decode(type, from: Data(body))
        } catch {
            throw ClientError(.invalidInput, "The server's response can't be decoded; is it a Baton server of this version?")
        }
    }
}
