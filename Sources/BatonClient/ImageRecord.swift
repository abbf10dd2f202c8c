public import CurlTransfer
internal import FoundationEssentials

/// An image as the server shows it.
public struct ImageRecord: Codable, Sendable {
    /// Its id.
    public let id: String
    /// Its name for people.
    public let name: String?
    /// `queued` or `active`.
    public let status: String
    /// Who may see it.
    public let visibility: String
    /// The disk format of a plain download.
    public let diskFormat: String?
    /// The container format of a plain download.
    public let containerFormat: String?
    /// In bytes; nil while unknown.
    public let size: Int64?
    /// The MD5, if known.
    public let checksum: String?
    /// The algorithm of `digest`.
    public let digestAlgorithm: String?
    /// The strongest digest known.
    public let digest: String?
    /// When it was created.
    public let createdAt: String

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
public struct LocationRecord: Decodable, Sendable {
    /// Its id.
    public let id: String
    /// Where it is.
    public let url: String
    /// The backend it lies in.
    public let backend: String
    /// Whether it may serve.
    public let status: String
    /// Its disk format.
    public let diskFormat: String
    /// Its container format.
    public let containerFormat: String
    /// In bytes; nil while unknown.
    public let size: Int64?
    /// The operator's class, the lower first.
    public let tier: Int
    /// The operator's preference, the higher first.
    public let weight: Int
    /// Whether it contributed to a failed proof and was not cleared since.
    public let isAccused: Bool
    /// When a read of it alone last matched.
    public let provenAt: String?
    /// Why it does not serve yet, as far as the server knows.
    public let problem: String?
    /// The same in a word.
    public var cause: String? { problem.map { String($0.prefix { $0 != ":" }) } }

    private enum CodingKeys: String, CodingKey {
        case id, url, backend, status, size, tier, weight, problem
        case diskFormat = "disk_format"
        case containerFormat = "container_format"
        case isAccused = "accused"
        case provenAt = "proven_at"
    }
}

extension Exchange.Answer {
    /// The body, decoded.
    /// - Throws: `ClientError` when it is something else.
    public func decoded<Record: Decodable>(as type: Record.Type) throws(ClientError) -> Record {
        do {
            return try JSONDecoder().decode(type, from: Data(body))
        } catch {
            throw ClientError(.nonsense, "The server's answer can't be understood; is it a Baton server of this version?")
        }
    }
}
