package import FoundationEssentials
package import ImageModel

/// The results of verifications of locations, and the progress of unfinished ones. Every operation is one transaction; errors are
/// `CatalogError`s.
package protocol VerificationStore: Sendable {
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
    /// Records that two locations agree with each other against the declared digest.
    func recordDigestConflict(of location: LocationID, reason: String, at time: Date) async throws

    /// The active locations that are suspects.
    func suspects() async throws -> [Location]
    /// The active location with the oldest verification, if that is before `date` and its next read is not set for later.
    func nextToScrub(verifiedBefore date: Date, at time: Date) async throws -> Location?

    /// The progress of an unfinished read of the location.
    func readProgress(of location: LocationID) async throws -> ReadProgress?
    /// Saves the progress of a read; nil deletes it.
    func saveReadProgress(_ progress: ReadProgress?, of location: LocationID, at time: Date) async throws
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
