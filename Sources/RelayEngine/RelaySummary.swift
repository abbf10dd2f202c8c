package import BackendKit
package import ImageModel

/// What became of a relay, in the words of the catalog.
package struct RelaySummary: Sendable {
    /// The bytes that one location contributed.
    package struct Part: Sendable, Hashable {
        /// The location.
        package let location: LocationID
        /// Its backend.
        package let backend: BackendID
        /// The offset of the first byte.
        package let first: Int64
        /// The offset of the last byte.
        package let last: Int64
    }

    /// A move to another location in the course of the relay.
    package struct Move: Sendable, Hashable {
        /// The backend that was left.
        package let from: BackendID
        /// The backend that went on.
        package let to: BackendID
        /// At which byte.
        package let offset: Int64
        /// Whether bytes had come before.
        package let isMidStream: Bool
        /// How long no byte came.
        package let gap: Duration
        /// Why.
        package let cause: AttemptFailure
    }

    /// A location that could not serve, or not to the end.
    package struct Failure: Sendable, Hashable {
        /// The location.
        package let location: LocationID
        /// Its backend.
        package let backend: BackendID
        /// Why not; the details are those of the first time.
        package let failure: AttemptFailure
        /// How often that happened; at least 1.
        package internal(set) var count = 1
    }

    /// Chunks of the same contributors that did not have their digests; none of their bytes was delivered.
    package struct Rejection: Sendable, Hashable {
        /// The offset of the first one's first byte.
        package let start: Int64
        /// Who contributed to them.
        package let contributors: [LocationID]
        /// How many there were; at least 1.
        package internal(set) var count = 1
    }

    /// How it ended.
    package internal(set) var outcome: RelayOutcome
    /// Who contributed what.
    package internal(set) var parts: [Part] = []
    /// The moves.
    package internal(set) var moves: [Move] = []
    /// The failures, by location and reason, in the order of their first time; also those that were made up for.
    package internal(set) var failures: [Failure] = []
    /// The contributors of each whole that did not match its digest.
    package internal(set) var mismatches: [[LocationID]] = []
    /// The chunks that did not have their digests and were fetched again, by who contributed to them: a wire that spoils every other
    /// chunk of a large image makes one of these, not a hundred thousand.
    package internal(set) var rejections: [Rejection] = []
    /// The locations that agree with each other on a chunk against the manifest, when none agreed with it.
    package internal(set) var contradictors: [LocationID] = []
    /// The digests of the chunks of a whole that matched, if they were computed on the way.
    package internal(set) var manifest: Manifest?
    /// The location that alone gave a whole that matched, and what its object was pinned to.
    package internal(set) var verifiedAlone: (location: LocationID, validator: Validator?)?
    /// How often a connection that we had paused was taken up again.
    package internal(set) var resumptions = 0
    /// How many bytes the client took.
    package internal(set) var delivered: Int64 = 0
    /// Bytes fetched beyond those delivered.
    package internal(set) var extraBytes: Int64 = 0
    /// The digest that the whole had; nil if none was computed.
    package internal(set) var digest: Digest?

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
