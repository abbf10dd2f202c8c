package import CurlTransfer
import FoundationEssentials

/// An image as the server shows it.
package struct ImageRecord: Codable, Sendable {
    /// Its id.
    package let id: String
    /// Its name for people.
    package let name: String?
    /// `queued` or `active`.
    package let status: String
    /// Who may see it.
    package let visibility: String
    /// The disk format of a plain download.
    package let diskFormat: String?
    /// The container format of a plain download.
    package let containerFormat: String?
    /// In bytes; nil while unknown.
    package let size: Int64?
    /// The MD5, if known.
    package let checksum: String?
    /// The algorithm of `digest`.
    package let digestAlgorithm: String?
    /// The strongest digest known.
    package let digest: String?
    /// When it was created.
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

/// A location as the server shows it.
package struct LocationRecord: Decodable, Sendable {
    /// Its id.
    package let id: String
    /// Where it is.
    package let url: String
    /// The backend it lies in.
    package let backend: String
    /// Whether it may serve.
    package let status: String
    /// Its disk format.
    package let diskFormat: String
    /// Its container format.
    package let containerFormat: String
    /// In bytes; nil while unknown.
    package let size: Int64?
    /// The operator's class, the lower first.
    package let tier: Int
    /// The operator's preference, the higher first.
    package let weight: Int
    /// Whether it contributed to a failed verification and was not cleared since.
    package let isSuspect: Bool
    /// When a read of it alone last matched.
    package let verifiedAt: String?
    /// Why it does not serve yet, as far as the server knows.
    package let problem: String?
    /// The same in a word.
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
    /// The body, decoded.
    /// - Throws: `ClientError` when it is something else.
    package func decoded<Record: Decodable>(as type: Record.Type) throws(ClientError) -> Record {
        do {
            return try JSONDecoder().decode(type, from: Data(body))
        } catch {
            throw ClientError(.invalidInput, "The server's answer can't be understood; is it a Baton server of this version?")
        }
    }
}
