package import ImageModel

/// A location, as lists and operations show it.
///
/// Ids, statuses and other fixed words are texts here, so that a client can read words of a later version of the server.
package struct LocationDocument: ListedDocument {
    package static let listName = "locations"

    package let id: String
    /// The id of the image.
    package let image: String
    package let url: String
    /// The id of the backend that holds it.
    package let backend: String
    /// A `LocationStatus`.
    package let status: String
    package let diskFormat: String
    package let containerFormat: String
    /// The size in bytes; nil while unknown.
    @Nullable package var size: Int64?
    /// The digests in hexadecimal digits, by algorithm.
    package let digests: [String: String]
    /// The algorithms whose digests a full read computed, sorted.
    package let computed: [String]
    /// Whether its content is known to be that of its representation.
    package let isIdentified: Bool
    /// The operator's preference; higher ones first.
    package let weight: Int
    /// The operator's class; lower ones first.
    package let tier: Int
    package let metadata: [String: String]
    /// The text that pins the object in its backend; nil if the backend sent none.
    @Nullable package var validator: String?
    /// Whether it contributed to a failed verification and has not been cleared since.
    package let isSuspect: Bool
    /// The time of the last read of it alone that matched.
    @Nullable package var verifiedAt: Timestamp?
    package let createdAt: Timestamp
    /// The time at which maintenance will read it next.
    @Nullable package var nextReadAt: Timestamp?
    /// The time at which its record is removed.
    @Nullable package var expiresAt: Timestamp?
    /// The `LocationEvent`s that its status allows.
    package let legalEvents: [String]
    /// The reason why a pending location does not serve, as far as the server knows; absent otherwise.
    package let problem: String?

    package init(_ location: Location, problem: String? = nil) {
        id = location.id.description
        image = location.image.description
        url = location.url
        backend = location.backend.name
        status = location.state.status.rawValue
        diskFormat = location.format.disk.rawValue
        containerFormat = location.format.container.rawValue
        size = location.size
        digests = location.digests.hexByAlgorithm
        computed = location.computed.map(\.rawValue).sorted()
        isIdentified = location.isIdentified
        weight = location.weight
        tier = location.tier
        metadata = location.metadata
        validator = location.validator?.text
        isSuspect = location.isSuspect
        verifiedAt = location.verifiedAt.map { Timestamp($0) }
        createdAt = Timestamp(location.createdAt)
        nextReadAt = location.nextReadAt.map { Timestamp($0) }
        expiresAt = location.expiresAt.map { Timestamp($0) }
        legalEvents = location.state.legalEvents.map(\.rawValue)
        self.problem = problem
    }

    /// The first word of `problem`: the class of the failure.
    package var cause: String? { problem.map { String($0.prefix { $0 != ":" }) } }

    package var textSize: Int {
        let texts = [url, backend, validator ?? "", problem ?? ""]
        let words = metadata.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count + 7 }
        let hex = digests.values.reduce(0) { $0 + $1.utf8.count }
        return texts.reduce(600) { $0 + $1.utf8.count } + words + hex
    }

    private enum CodingKeys: String, CodingKey {
        case id, image, url, backend, status, size, digests, computed, weight, tier, metadata, validator, problem
        case diskFormat = "disk_format"
        case containerFormat = "container_format"
        case isIdentified = "identified"
        case isSuspect = "suspect"
        case verifiedAt = "verified_at"
        case createdAt = "created_at"
        case nextReadAt = "next_read_at"
        case expiresAt = "expires_at"
        case legalEvents = "legal_events"
    }
}

/// A location that is shown alone: its document with one more member.
package struct LocationDetail: JSONDocument, Decodable, Equatable {
    package let location: LocationDocument
    /// The offset in bytes that a full read had reached when it was last recorded; nil if no read is recorded.
    package let readPosition: Int64?

    package init(_ location: LocationDocument, readPosition: Int64?) {
        self.location = location
        self.readPosition = readPosition
    }

    private enum CodingKeys: String, CodingKey {
        case readPosition = "read_position"
    }

    package init(from decoder: any Decoder) throws {
        location = try LocationDocument(from: decoder)
        readPosition = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(Int64.self, forKey: .readPosition)
    }

    package func encode(to encoder: any Encoder) throws {
        try location.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(readPosition, forKey: .readPosition)
    }
}

extension DigestSet {
    /// The digests in hexadecimal digits, by algorithm.
    var hexByAlgorithm: [String: String] {
        Dictionary(all.map { ($0.algorithm.rawValue, $0.hex) }) { first, _ in first }
    }
}
