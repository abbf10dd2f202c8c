import ImageModel

/// The members of a request's body. The server reads them by name, so that an error can name the member.
package protocol RequestMember: CodingKey, CaseIterable, RawRepresentable where RawValue == String {}

extension RequestMember {
    /// The names for an error message: `weight, tier, metadata and reason`.
    package static var sentence: String {
        let names = allCases.map(\.rawValue)
        guard let last = names.last, names.count > 1 else { return names.joined() }
        return "\(names.dropLast().joined(separator: ", ")) and \(last)"
    }
}

/// The body of a request that adds a location to an image. Absent members take the image's format, or the defaults.
package struct LocationRegistration: JSONDocument, Decodable, Equatable {
    /// The URL, inside a configured backend.
    package let url: String
    /// The disk format; nil for the image's own.
    package let diskFormat: String?
    /// The container format; nil for the image's own.
    package let containerFormat: String?
    /// The size in bytes; nil if unknown.
    package let size: Int64?
    /// The digests in hexadecimal digits, by algorithm; nil for none.
    package let digests: [String: String]?
    /// The operator's preference; nil for 0.
    package let weight: Int?
    /// The operator's class; nil for 0.
    package let tier: Int?
    package let metadata: [String: String]?

    package init(
        url: String, diskFormat: String? = nil, containerFormat: String? = nil, size: Int64? = nil,
        digests: [String: String]? = nil, weight: Int? = nil, tier: Int? = nil, metadata: [String: String]? = nil
    ) {
        self.url = url
        self.diskFormat = diskFormat
        self.containerFormat = containerFormat
        self.size = size
        self.digests = digests
        self.weight = weight
        self.tier = tier
        self.metadata = metadata
    }

    package enum CodingKeys: String, RequestMember {
        case url
        case diskFormat = "disk_format"
        case containerFormat = "container_format"
        case size, digests, weight, tier, metadata
    }
}

/// The body of a request that changes a location. Absent members stay as they are.
package struct LocationChange: JSONDocument, Decodable, Equatable {
    package let weight: Int?
    package let tier: Int?
    package let metadata: [String: String]?
    /// The reason for the location's history.
    package let reason: String?

    package init(weight: Int? = nil, tier: Int? = nil, metadata: [String: String]? = nil, reason: String? = nil) {
        self.weight = weight
        self.tier = tier
        self.metadata = metadata
        self.reason = reason
    }

    package enum CodingKeys: String, RequestMember {
        case weight, tier, metadata, reason
    }
}

/// The body of a request that runs an operation on a location.
package struct OperationRequest: JSONDocument, Decodable, Equatable {
    /// The reason for the location's history.
    package let reason: String?
    /// For `delete`: whether the last active location of an image may be deleted.
    package let force: Bool?

    package init(reason: String? = nil, force: Bool? = nil) {
        self.reason = reason
        self.force = force
    }

    package enum CodingKeys: String, RequestMember {
        case reason, force
    }
}
