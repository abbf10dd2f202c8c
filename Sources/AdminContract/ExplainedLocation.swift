package import FoundationEssentials
package import ImageModel

/// The members that ranked and rejected locations have in common.
package struct ExplainedLocation: Codable, Equatable, Sendable {
    /// The id of the location.
    package let location: String
    /// The id of the backend that holds it.
    package let backend: String
    package let url: String
    /// A `LocationStatus`.
    package let status: String
    package let tier: Int
    package let weight: Int
    @Nullable package var verifiedAt: Timestamp?
    @Nullable package var lastFailure: LastFailureDocument?
    /// The reason for the rank or the rejection, for a person.
    package let why: String

    package init(_ location: Location, lastFailure: LastFailureDocument?, why: String) {
        self.location = location.id.description
        backend = location.backend.name
        url = location.url
        status = location.state.status.rawValue
        tier = location.tier
        weight = location.weight
        verifiedAt = location.verifiedAt.map { Timestamp($0) }
        self.lastFailure = lastFailure
        self.why = why
    }

    private enum CodingKeys: String, CodingKey {
        case location, backend, url, status, tier, weight, why
        case verifiedAt = "verified_at"
        case lastFailure = "last_failure"
    }
}

/// The last failure of a location.
package struct LastFailureDocument: Codable, Equatable, Sendable {
    package let time: Timestamp
    /// The class of the failure.
    package let reason: String
    package let detail: String

    package init(time: Date, reason: String, detail: String) {
        self.time = Timestamp(time)
        self.reason = reason
        self.detail = detail
    }
}

/// A location that can serve a download. Its JSON is one object with the members of `ExplainedLocation`.
package struct RankedDocument: Codable, Equatable, Sendable {
    package let location: ExplainedLocation
    /// The position in the order, from 1.
    package let rank: Int
    /// The class of the reason for the rank.
    package let standing: String
    /// The estimated duration of the read in seconds.
    package let cost: Double
    /// The measured throughput of the backend; nil if it has not been measured.
    package let bytesPerSecond: Double?

    package init(_ location: ExplainedLocation, rank: Int, standing: String, cost: Double, bytesPerSecond: Double?) {
        self.location = location
        self.rank = rank
        self.standing = standing
        self.cost = cost
        self.bytesPerSecond = bytesPerSecond
    }

    private enum CodingKeys: String, CodingKey {
        case rank, standing, cost
        case bytesPerSecond = "bytes_per_second"
    }

    package init(from decoder: any Decoder) throws {
        location = try ExplainedLocation(from: decoder)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        rank = try container.decode(Int.self, forKey: .rank)
        standing = try container.decode(String.self, forKey: .standing)
        cost = try container.decode(Double.self, forKey: .cost)
        bytesPerSecond = try container.decodeIfPresent(Double.self, forKey: .bytesPerSecond)
    }

    package func encode(to encoder: any Encoder) throws {
        try location.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(rank, forKey: .rank)
        try container.encode(standing, forKey: .standing)
        try container.encode(cost, forKey: .cost)
        try container.encode(bytesPerSecond, forKey: .bytesPerSecond)
    }
}

/// A location that can't serve a download. Its JSON is one object with the members of `ExplainedLocation`.
package struct RejectedDocument: Codable, Equatable, Sendable {
    package let location: ExplainedLocation
    /// The class of the reason for the rejection.
    package let reason: String

    package init(_ location: ExplainedLocation, reason: String) {
        self.location = location
        self.reason = reason
    }

    private enum CodingKeys: String, CodingKey {
        case reason
    }

    package init(from decoder: any Decoder) throws {
        location = try ExplainedLocation(from: decoder)
        reason = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .reason)
    }

    package func encode(to encoder: any Encoder) throws {
        try location.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(reason, forKey: .reason)
    }
}
