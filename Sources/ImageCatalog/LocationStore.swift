package import FoundationEssentials
package import ImageModel

/// The locations of images, their status and their history. Every operation is one transaction; errors are `CatalogError`s.
package protocol LocationStore: Sendable {
    /// Registers a pending location in the representation of its image and format, which is created for the first location. A
    /// location that can't be compared (without a size, or without a digest in the identity's algorithm) joins the
    /// representation after it was read. Throws `unknownImage`, `duplicateLocation`, `differentContent`.
    func addLocation(
        _ new: NewLocation, id: LocationID, at time: Date, actor: String, reason: String
    ) async throws -> Location
    /// The location with that id; nil if there is none.
    func location(_ id: LocationID) async throws -> Location?
    /// An image's locations in the order of registration.
    func locations(of image: ImageID) async throws -> [Location]
    /// Deletes locations whose registration failed and that never served.
    func forget(_ locations: [LocationID]) async throws

    /// Applies an event to a location and records it in its history. Throws `unknownLocation`, `illegalEvent`, `lastActive`,
    /// `unidentified`.
    func apply(_ change: LocationChange) async throws -> Location
    /// Changes an operator's settings of a location and records the change in its history. Throws `unknownLocation`.
    func edit(_ location: LocationID, _ edit: LocationEdit, actor: String, reason: String, at time: Date) async throws
        -> Location
    /// A location's history, the oldest entry first.
    func history(of location: LocationID) async throws -> [LocationHistoryEntry]
    /// Ends the reads that a restart interrupted.
    /// - Returns: the locations that were being verified.
    func recoverAfterStart(at time: Date) async throws -> [Location]
    /// Records in the history of a pending location why it can't serve yet. Has no effect on a location that is not pending.
    func recordProbeFailure(of location: LocationID, at time: Date, actor: String, reason: String) async throws

    /// The locations with maintenance due now.
    func dueLocations(at time: Date) async throws -> DueLocations
    /// Counts the locations, the active ones without a full read since `date`, and the manifests.
    func statistics(verifiedBefore date: Date) async throws -> LocationStatistics
}

/// An event of a location, with its actor, reason and time.
package struct LocationChange: Sendable, Equatable {
    package let event: LocationEvent
    package let location: LocationID
    /// The user or the component that caused it.
    package let actor: String
    package let reason: String
    package let time: Date
    /// The object's validator, if it was determined; nil keeps the known one.
    package let validator: Validator?
    /// Whether even the last active location of an image may be deleted.
    package let isForced: Bool
    /// For `delete`: the end of the delay.
    package let expiresAt: Date?
    /// The time of the location's next maintenance read; nil sets none.
    package let nextReadAt: Date?

    package init(
        _ event: LocationEvent, of location: LocationID, actor: String, reason: String, at time: Date,
        validator: Validator? = nil, isForced: Bool = false, expiresAt: Date? = nil, nextReadAt: Date? = nil
    ) {
        self.event = event
        self.location = location
        self.actor = actor
        self.reason = reason
        self.time = time
        self.validator = validator
        self.isForced = isForced
        self.expiresAt = expiresAt
        self.nextReadAt = nextReadAt
    }
}

/// An operator's changes of a location; nil keeps a setting.
package struct LocationEdit: Sendable, Equatable {
    /// The preference under the strategy `weighted`; higher ones come first.
    package var weight: Int?
    /// The tier: all locations of a lower tier precede those of a higher one.
    package var tier: Int?
    /// Free-form metadata.
    package var metadata: [String: String]?

    /// Creates an edit without changes.
    package init() {}
}

/// The number of locations, the age of their verifications, and the number of manifests.
package struct LocationStatistics: Sendable, Equatable {
    /// The number of locations by status, without statuses that have none.
    package let counts: [LocationStatus: Int]
    /// The number of active locations without a full read since the given date.
    package let withoutRecentRead: Int
    /// The oldest verification of an active location; nil if there is none.
    package let oldestVerification: Date?
    /// The number of non-empty representations, with or without a manifest.
    package let representations: Int
    /// The number of manifests.
    package let manifests: Int
}

/// The locations with maintenance due now.
package struct DueLocations: Sendable, Equatable {
    /// Pending and identified locations, to be probed.
    package let toProbe: [Location]
    /// Locations to be read in full: pending and unidentified, suspect, taken out for a read that an error may have ended, or
    /// with a scheduled read that is due.
    package let toRead: [Location]
    /// Locations marked for deletion whose delay is over.
    package let toExpire: [Location]
}
