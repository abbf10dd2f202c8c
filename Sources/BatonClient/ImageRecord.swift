package import CurlTransfer
import FoundationEssentials

/// An image, as shown by the server.
package struct ImageRecord: Codable, Sendable {
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

/// A location, as shown by the server.
package struct LocationRecord: Decodable, Sendable {
    package let id: String
    package let url: String
    /// The id of the backend that holds it.
    package let backend: String
    /// The status, which decides whether it may serve.
    package let status: String
    package let diskFormat: String
    package let containerFormat: String
    /// The size in bytes; nil while unknown.
    package let size: Int64?
    /// The operator's class; lower ones first.
    package let tier: Int
    /// The operator's preference; higher ones first.
    package let weight: Int
    /// Whether it contributed to a failed verification and has not been cleared since.
    package let isSuspect: Bool
    /// The time of the last read of it alone that matched.
    package let verifiedAt: String?
    /// The reason why it does not serve yet, as far as the server knows.
    package let problem: String?
    /// The first word of `problem`.
    package var cause: String? { problem.map { String($0.prefix { $0 != ":" }) } }

    private enum CodingKeys: String, CodingKey {
        case id, url, backend, status, size, tier, weight, problem
        case diskFormat = "disk_format"
        case containerFormat = "container_format"
        case isSuspect = "suspect"
        case verifiedAt = "verified_at"
    }
}

extension Exchange.Answer {
    /// Decodes the body as JSON.
    /// - Throws: `ClientError` if the body is not such a record.
    package func decoded<Record: Decodable>(as type: Record.Type) throws(ClientError) -> Record {
        do {
            return try JSONDecoder().decode(type, from: Data(body))
        } catch {
            throw ClientError(.invalidInput, "The server's answer can't be understood; is it a Baton server of this version?")
        }
    }
}
