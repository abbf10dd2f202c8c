public import BackendKit
public import ImageModel

/// What became of a relay, in the words of the catalog.
public struct RelaySummary: Sendable {
    /// The bytes that one location contributed.
    public struct Part: Sendable, Hashable {
        /// The location.
        public let location: LocationID
        /// Its backend.
        public let backend: BackendID
        /// The offset of the first byte.
        public let first: Int64
        /// The offset of the last byte.
        public let last: Int64
    }

    /// A move to another location in the course of the relay.
    public struct Move: Sendable, Hashable {
        /// The backend that was left.
        public let from: BackendID
        /// The backend that went on.
        public let to: BackendID
        /// At which byte.
        public let offset: Int64
        /// Whether bytes had come before.
        public let isMidStream: Bool
        /// How long no byte came.
        public let gap: Duration
        /// Why.
        public let cause: AttemptFailure
    }

    /// A location that could not serve, or not to the end.
    public struct Failure: Sendable, Hashable {
        /// The location.
        public let location: LocationID
        /// Its backend.
        public let backend: BackendID
        /// Why not; the details are those of the first time.
        public let failure: AttemptFailure
        /// How often that happened; at least 1.
        public internal(set) var count = 1
    }

    /// Chunks of the same contributors that did not have their digests; none of their bytes was delivered.
    public struct Rejection: Sendable, Hashable {
        /// The offset of the first one's first byte.
        public let start: Int64
        /// Who contributed to them.
        public let contributors: [LocationID]
        /// How many there were; at least 1.
        public internal(set) var count = 1
    }

    /// How it ended.
    public internal(set) var outcome: RelayOutcome
    /// Who contributed what.
    public internal(set) var parts: [Part] = []
    /// The moves.
    public internal(set) var moves: [Move] = []
    /// The failures, by location and reason, in the order of their first time; also those that were made up for.
    public internal(set) var failures: [Failure] = []
    /// The contributors of each whole that did not match its digest.
    public internal(set) var disproofs: [[LocationID]] = []
    /// The chunks that did not have their digests and were fetched anew, by who contributed to them: a wire that spoils every other
    /// chunk of a large image makes one of these, not a hundred thousand.
    public internal(set) var rejections: [Rejection] = []
    /// The locations that agree with each other on a chunk against the manifest, when none agreed with it.
    public internal(set) var contradictors: [LocationID] = []
    /// The digests of the chunks of a whole that matched, if they were computed on the way.
    public internal(set) var manifest: Manifest?
    /// The location that alone gave a whole that matched, and what its object was pinned to.
    public internal(set) var provenAlone: (location: LocationID, validator: Validator?)?
    /// How often a connection that we had paused was taken up again.
    public internal(set) var resumptions = 0
    /// How many bytes the client took.
    public internal(set) var delivered: Int64 = 0
    /// Bytes fetched beyond those delivered.
    public internal(set) var extraBytes: Int64 = 0
    /// The digest that the whole had; nil if none was computed.
    public internal(set) var digest: Digest?

    init(outcome: RelayOutcome) { self.outcome = outcome }

    /// A location that breaks at every other byte makes one of these, not one for each byte.
    /// - Returns: whether the location did not fail for that reason before.
    mutating func noteFailure(_ failure: AttemptFailure, at location: LocationID, in backend: BackendID) -> Bool {
        if let known = failures.firstIndex(where: { $0.location == location && $0.failure.reason == failure.reason }) {
            failures[known].count += 1
            return false
        }
        failures.append(Failure(location: location, backend: backend, failure: failure))
        return true
    }

    mutating func noteRejection(at start: Int64, contributors: [LocationID]) {
        if let known = rejections.firstIndex(where: { $0.contributors == contributors }) {
            rejections[known].count += 1
        } else {
            rejections.append(Rejection(start: start, contributors: contributors))
        }
    }
}
