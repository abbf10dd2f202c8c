package import FoundationEssentials
package import ImageModel

/// The part of the catalog that manages the lifecycle of locations. Every operation is one transaction; errors are
/// `CatalogError`s.
package protocol LocationStore: Sendable {
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

    /// Records a failed whole verification: the representation is put on integrity hold, and its contributors become suspects.
    func recordDigestMismatch(
        of image: ImageID, format: Format, contributors: [LocationID], at time: Date, actor: String, reason: String
    ) async throws
    /// Records a chunk that failed verification: each contributor becomes a suspect and will be read alone. No wrong byte was
    /// sent, so there is no hold.
    func recordRejectedChunk(by contributors: [LocationID], at time: Date, actor: String, reason: String) async throws
    /// Records a full read of a location alone that matched: the location is cleared, its undeclared digests are stored as
    /// computed, and it serves again if it was taken out for the read. The first identified location of a format creates its
    /// representation. Throws `unknownLocation`, `differentContent` if the read contradicts a declaration.
    func recordMatch(of location: LocationID, _ content: LocationContent, at time: Date) async throws -> Location
    /// Records a download that one location served alone and that matched: the location is cleared, and so is its
    /// representation after its last suspect.
    func recordVerification(of location: LocationID, validator: Validator?, at time: Date) async throws
    /// Records a failed full read of a location, which is due again at `nextReadAt`.
    func recordFailedRead(of location: LocationID, nextReadAt: Date) async throws
    /// Postpones a full read that could not begin for a local reason; it is due again at `nextReadAt`.
    func postponeRead(of location: LocationID, until nextReadAt: Date) async throws
    /// Records that a scrub did not find the location's object.
    /// - Returns: the absence within the last day, this time included.
    func recordMiss(of location: LocationID, at time: Date, nextReadAt: Date) async throws -> Absence
    /// Records in its history why a pending location can't serve yet. Has no effect on a location that is not pending.
    func recordProbeFailure(of location: LocationID, at time: Date, actor: String, reason: String) async throws
    /// Records that two locations agree with each other against the declared digest.
    func recordDigestConflict(of location: LocationID, reason: String, at time: Date) async throws

    /// The active locations that are suspects.
    func suspects() async throws -> [Location]
    /// The locations with maintenance due now.
    func dueLocations(at time: Date) async throws -> DueLocations
    /// The active location with the oldest verification, if that is before `date` and its next read is not set for later.
    func nextToScrub(verifiedBefore date: Date, at time: Date) async throws -> Location?
    /// Counts the locations, the active ones without a full read since `date`, and the manifests.
    func statistics(verifiedBefore date: Date) async throws -> LocationStatistics

    /// The progress of an unfinished read of the location.
    func readProgress(of location: LocationID) async throws -> ReadProgress?
    /// Saves the progress of a read; nil deletes it.
    func saveReadProgress(_ progress: ReadProgress?, of location: LocationID, at time: Date) async throws
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

/// The result of a full read of a location.
package struct LocationContent: Sendable, Equatable {
    /// The size in bytes.
    package let size: Int64
    /// Every computed digest.
    package let digests: DigestSet
    /// The validator of the object; nil if the backend states none.
    package let validator: Validator?
    /// Whether the backend stated the size. Otherwise it is the length of the response, which may have been truncated.
    package let isSizeStated: Bool

    package init(size: Int64, digests: DigestSet, validator: Validator?, isSizeStated: Bool = true) {
        self.isSizeStated = isSizeStated
        self.size = size
        self.digests = digests
        self.validator = validator
    }
}

/// The progress of a full read.
package struct ReadProgress: Sendable, Equatable {
    /// The offset of the next byte.
    package let position: Int64
    /// The size of the object in bytes.
    package let size: Int64
    /// The object's validator; the read can continue only with the same one.
    package let validator: Validator?
    /// The state of the digests, as serialized by `Integrity`.
    package let digests: [UInt8]
    /// The chunks that were read; nil if the read builds no manifest.
    package let chunks: Chunks?

    /// The part of a manifest that an unfinished read has built.
    package struct Chunks: Sendable, Equatable {
        /// The division of the object into chunks.
        package let layout: ChunkLayout
        /// The concatenated digests of the completed chunks.
        package let digests: [UInt8]
        /// The state of the incomplete chunk, as serialized by `Integrity`.
        package let state: [UInt8]

        package init(layout: ChunkLayout, digests: [UInt8], state: [UInt8]) {
            self.layout = layout
            self.digests = digests
            self.state = state
        }
    }

    package init(position: Int64, size: Int64, validator: Validator?, digests: [UInt8], chunks: Chunks? = nil) {
        self.position = position
        self.size = size
        self.validator = validator
        self.digests = digests
        self.chunks = chunks
    }
}

/// The recorded absence of an object that scrubs do not find.
package struct Absence: Sendable, Equatable {
    /// The times of misses within the last day, the oldest first.
    package let misses: [Date]
    /// Whether another object of its backend was read in full since the first miss. If not, the backend may be at fault.
    package let isBackendReadable: Bool

    package init(misses: [Date], isBackendReadable: Bool) {
        self.misses = misses
        self.isBackendReadable = isBackendReadable
    }
}

/// The number of locations, the age of their verifications, and the number of manifests.
package struct LocationStatistics: Sendable, Equatable {
    /// The number of locations by status, without statuses that have none.
    package let counts: [LocationStatus: Int]
    /// The number of active locations without a full read since the given date.
    package let unverified: Int
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
