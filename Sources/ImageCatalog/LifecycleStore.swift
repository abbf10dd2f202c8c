public import FoundationEssentials
public import ImageModel

/// The part of the catalog that the lives of locations go through. Every operation is one transaction; errors are
/// `CatalogError`s.
public protocol LifecycleStore: Sendable {
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

    /// A whole did not match: the representation is in doubt, and who contributed is accused.
    func recordFailedProof(
        of image: ImageID, format: Format, contributors: [LocationID], at time: Date, actor: String, reason: String
    ) async throws
    /// Chunks that these locations contributed to did not have their digests: each is accused, and will be read alone. No wrong byte
    /// has left, so there is no doubt.
    func recordRejectedChunk(by contributors: [LocationID], at time: Date, actor: String, reason: String) async throws
    /// A location read alone, in full, gave the representation's content: it is cleared, what it did not declare is learned, and
    /// if it was taken out for the read it serves again. The first identified location of a format founds its representation.
    /// Throws `unknownLocation`, `differentContent` when the read contradicts what is declared.
    func recordMatch(of location: LocationID, _ content: LocationContent, at time: Date) async throws -> Location
    /// A download that one location served alone matched: it is cleared, and its representation with the last one.
    func recordProof(of location: LocationID, validator: Validator?, at time: Date) async throws
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
    func recordDistrust(of location: LocationID, reason: String, at time: Date) async throws

    /// The active locations that are accused.
    func accusedLocations() async throws -> [Location]
    /// What is to be done with locations now without anybody asking.
    func dueLocations(at time: Date) async throws -> DueLocations
    /// The active location whose last proof is the oldest, if it is older than `date` and it is not to be left alone until later.
    func nextToScrub(provenBefore date: Date, at time: Date) async throws -> Location?
    /// Counts the locations, the active ones that were not read in full since `date`, and the manifests.
    func census(provenBefore date: Date) async throws -> LocationCensus

    /// How far an unfinished read of the location came.
    func readProgress(of location: LocationID) async throws -> ReadProgress?
    /// Writes down how far a read came; nil forgets it.
    func saveReadProgress(_ progress: ReadProgress?, of location: LocationID, at time: Date) async throws
}

/// An event that happens to a location, with who, when and why.
public struct LocationChange: Sendable, Equatable {
    /// The event.
    public let event: LocationEvent
    /// To whom.
    public let location: LocationID
    /// Who caused it.
    public let actor: String
    /// Why.
    public let reason: String
    /// When.
    public let time: Date
    /// What pins the object, if that was found out; nil keeps what is known.
    public let validator: Validator?
    /// Whether even the last active location of an image may be deleted.
    public let isForced: Bool
    /// For `delete`: when the delay is over.
    public let expiresAt: Date?
    /// When the location is to be read again without anybody asking; nil sets no time.
    public let nextReadAt: Date?

    /// A change with every property given.
    public init(
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
public struct LocationEdit: Sendable, Equatable {
    /// The preference under `weighted`.
    public var weight: Int?
    /// The operator's class.
    public var tier: Int?
    /// Free words.
    public var metadata: [String: String]?

    /// Changes nothing.
    public init() {}
}

/// What a full read of a location found.
public struct LocationContent: Sendable, Equatable {
    /// Bytes.
    public let size: Int64
    /// Every digest that was computed.
    public let digests: DigestSet
    /// What pins the object, if the backend says anything.
    public let validator: Validator?
    /// Whether the backend stated the size; else it is no more than where the answer ended, which may have been cut off.
    public let isSizeStated: Bool

    /// A content with every property given.
    public init(size: Int64, digests: DigestSet, validator: Validator?, isSizeStated: Bool = true) {
        self.isSizeStated = isSizeStated
        self.size = size
        self.digests = digests
        self.validator = validator
    }
}

/// How far a full read came.
public struct ReadProgress: Sendable, Equatable {
    /// The offset of the next byte.
    public let position: Int64
    /// The size of the object.
    public let size: Int64
    /// What pinned the object; the read can only go on with the same.
    public let validator: Validator?
    /// The digests' state, as `Integrity` writes it.
    public let digests: [UInt8]
    /// The chunks that were read; nil where the read makes no manifest.
    public let chunks: Chunks?

    /// The part of a manifest that an unfinished read has made.
    public struct Chunks: Sendable, Equatable {
        /// How the object is cut.
        public let layout: ChunkLayout
        /// The digests of the finished chunks, one behind the other.
        public let digests: [UInt8]
        /// The state of the chunk that is not finished, as `Integrity` writes it.
        public let state: [UInt8]

        /// Chunks with every property given.
        public init(layout: ChunkLayout, digests: [UInt8], state: [UInt8]) {
            self.layout = layout
            self.digests = digests
            self.state = state
        }
    }

    /// A progress with every property given.
    public init(position: Int64, size: Int64, validator: Validator?, digests: [UInt8], chunks: Chunks? = nil) {
        self.position = position
        self.size = size
        self.validator = validator
        self.digests = digests
        self.chunks = chunks
    }
}

/// What is known of an object that scrubs do not find.
public struct Absence: Sendable, Equatable {
    /// When it was missed, within the last day, the oldest first.
    public let misses: [Date]
    /// Whether another object of its backend was read in full since the first of them.
    public let backendReads: Bool

    /// An absence with every property given.
    public init(misses: [Date], backendReads: Bool) {
        self.misses = misses
        self.backendReads = backendReads
    }
}

/// How many locations there are, how old their proofs, and how many representations have manifests.
public struct LocationCensus: Sendable, Equatable {
    /// The locations of each status that has any.
    public let counts: [LocationStatus: Int]
    /// Active locations that were not read in full since the date asked for.
    public let unproven: Int
    /// The oldest proof of an active location; nil if there is none.
    public let oldestProof: Date?
    /// Representations that are not empty, with or without a manifest.
    public let representations: Int
    /// Manifests.
    public let manifests: Int
}

/// What is to be done with locations without anybody asking.
public struct DueLocations: Sendable, Equatable {
    /// Pending and identified: to be probed.
    public let toProbe: [Location]
    /// To be read in full: pending and not identified, accused, taken out for a read that an error may have ended, or the date has
    /// come that a read was set for.
    public let toRead: [Location]
    /// Marked for deletion, and the delay is over.
    public let toExpire: [Location]
}
