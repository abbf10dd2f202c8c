package import FoundationEssentials
package import ImageModel

/// The part of the catalog that the lives of locations go through. Every operation is one transaction; errors are
/// `CatalogError`s.
package protocol LifecycleStore: Sendable {
    /// Takes a location through an event, with a line in its history.
    /// Throws `unknownLocation`, `illegalEvent`, `lastActive`, `unidentified`.
    func apply(_ change: LocationChange) async throws -> Location
    /// Changes what an operator may set of a location, with a line in its history. Throws `unknownLocation`.
    func edit(_ location: LocationID, _ edit: LocationEdit, actor: String, reason: String, at time: Date) async throws
        -> Location
    /// A location's history, the oldest first.
    func history(of location: LocationID) async throws -> [LocationHistoryEntry]
    /// Ends the reads that a restart cut off.
    /// - Returns: the locations that were being verified.
    func recoverAfterStart(at time: Date) async throws -> [Location]

    /// A whole did not match: the representation is on integrity hold, and who contributed is suspect.
    func recordDigestMismatch(
        of image: ImageID, format: Format, contributors: [LocationID], at time: Date, actor: String, reason: String
    ) async throws
    /// Chunks that these locations contributed to did not have their digests: each is suspect, and will be read alone. No wrong byte
    /// has left, so there is no hold.
    func recordRejectedChunk(by contributors: [LocationID], at time: Date, actor: String, reason: String) async throws
    /// A location read alone, in full, gave the representation's content: it is cleared, what it did not declare is computed, and
    /// if it was taken out for the read it serves again. The first identified location of a format founds its representation.
    /// Throws `unknownLocation`, `differentContent` when the read contradicts what is declared.
    func recordMatch(of location: LocationID, _ content: LocationContent, at time: Date) async throws -> Location
    /// A download that one location served alone matched: it is cleared, and its representation with the last one.
    func recordVerification(of location: LocationID, validator: Validator?, at time: Date) async throws
    /// A full read of the location came to nothing; it is due again at `nextReadAt`.
    func recordFailedRead(of location: LocationID, nextReadAt: Date) async throws
    /// A full read of the location could not begin, for reasons that are ours; it is due again at `nextReadAt`.
    func postponeRead(of location: LocationID, until nextReadAt: Date) async throws
    /// A scrub did not find the location's object.
    /// - Returns: what is known of its absence within the last day, this time included.
    func recordMiss(of location: LocationID, at time: Date, nextReadAt: Date) async throws -> Absence
    /// A probe found that a pending location can't serve yet: its history says why. Without effect on one that is not pending.
    func recordProbeFailure(of location: LocationID, at time: Date, actor: String, reason: String) async throws
    /// Two locations agree with each other against what was declared.
    func recordDigestConflict(of location: LocationID, reason: String, at time: Date) async throws

    /// The active locations that are suspect.
    func suspects() async throws -> [Location]
    /// What is to be done with locations now without anybody asking.
    func dueLocations(at time: Date) async throws -> DueLocations
    /// The active location whose last verification is the oldest, if it is older than `date` and it is not to be left alone until later.
    func nextToScrub(verifiedBefore date: Date, at time: Date) async throws -> Location?
    /// Counts the locations, the active ones that were not read in full since `date`, and the manifests.
    func statistics(verifiedBefore date: Date) async throws -> LocationStatistics

    /// How far an unfinished read of the location came.
    func readProgress(of location: LocationID) async throws -> ReadProgress?
    /// Writes down how far a read came; nil forgets it.
    func saveReadProgress(_ progress: ReadProgress?, of location: LocationID, at time: Date) async throws
}

/// An event that happens to a location, with who, when and why.
package struct LocationChange: Sendable, Equatable {
    /// The event.
    package let event: LocationEvent
    /// To whom.
    package let location: LocationID
    /// Who caused it.
    package let actor: String
    /// Why.
    package let reason: String
    /// When.
    package let time: Date
    /// What pins the object, if that was found out; nil keeps what is known.
    package let validator: Validator?
    /// Whether even the last active location of an image may be deleted.
    package let isForced: Bool
    /// For `delete`: when the delay is over.
    package let expiresAt: Date?
    /// When the location is to be read again without anybody asking; nil sets no time.
    package let nextReadAt: Date?

    /// A change with every property given.
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

/// What an operator changes of a location; what is nil stays.
package struct LocationEdit: Sendable, Equatable {
    /// The preference under `weighted`.
    package var weight: Int?
    /// The operator's class.
    package var tier: Int?
    /// Free words.
    package var metadata: [String: String]?

    /// Changes nothing.
    package init() {}
}

/// What a full read of a location found.
package struct LocationContent: Sendable, Equatable {
    /// Bytes.
    package let size: Int64
    /// Every digest that was computed.
    package let digests: DigestSet
    /// What pins the object, if the backend says anything.
    package let validator: Validator?
    /// Whether the backend stated the size; else it is no more than where the answer ended, which may have been cut off.
    package let isSizeStated: Bool

    /// A content with every property given.
    package init(size: Int64, digests: DigestSet, validator: Validator?, isSizeStated: Bool = true) {
        self.isSizeStated = isSizeStated
        self.size = size
        self.digests = digests
        self.validator = validator
    }
}

/// How far a full read came.
package struct ReadProgress: Sendable, Equatable {
    /// The offset of the next byte.
    package let position: Int64
    /// The size of the object.
    package let size: Int64
    /// What pinned the object; the read can only go on with the same.
    package let validator: Validator?
    /// The digests' state, as `Integrity` writes it.
    package let digests: [UInt8]
    /// The chunks that were read; nil where the read makes no manifest.
    package let chunks: Chunks?

    /// The part of a manifest that an unfinished read has made.
    package struct Chunks: Sendable, Equatable {
        /// How the object is cut.
        package let layout: ChunkLayout
        /// The digests of the finished chunks, one behind the other.
        package let digests: [UInt8]
        /// The state of the chunk that is not finished, as `Integrity` writes it.
        package let state: [UInt8]

        /// Chunks with every property given.
        package init(layout: ChunkLayout, digests: [UInt8], state: [UInt8]) {
            self.layout = layout
            self.digests = digests
            self.state = state
        }
    }

    /// A progress with every property given.
    package init(position: Int64, size: Int64, validator: Validator?, digests: [UInt8], chunks: Chunks? = nil) {
        self.position = position
        self.size = size
        self.validator = validator
        self.digests = digests
        self.chunks = chunks
    }
}

/// What is known of an object that scrubs do not find.
package struct Absence: Sendable, Equatable {
    /// When it was missed, within the last day, the oldest first.
    package let misses: [Date]
    /// Whether another object of its backend was read in full since the first of them.
    package let backendReads: Bool

    /// An absence with every property given.
    package init(misses: [Date], backendReads: Bool) {
        self.misses = misses
        self.backendReads = backendReads
    }
}

/// How many locations there are, how old their verifications, and how many representations have manifests.
package struct LocationStatistics: Sendable, Equatable {
    /// The locations of each status that has any.
    package let counts: [LocationStatus: Int]
    /// Active locations that were not read in full since the date asked for.
    package let unverified: Int
    /// The oldest verification of an active location; nil if there is none.
    package let oldestVerification: Date?
    /// Representations that are not empty, with or without a manifest.
    package let representations: Int
    /// Manifests.
    package let manifests: Int
}

/// What is to be done with locations without anybody asking.
package struct DueLocations: Sendable, Equatable {
    /// Pending and identified: to be probed.
    package let toProbe: [Location]
    /// To be read in full: pending and not identified, suspect, taken out for a read that an error may have ended, or the date has
    /// come that a read was set for.
    package let toRead: [Location]
    /// Marked for deletion, and the delay is over.
    package let toExpire: [Location]
}
