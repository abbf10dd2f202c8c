package import BackendKit
package import ImageModel

/// The result of a relay. Locations are named by their ids.
package struct RelaySummary: Sendable {
    /// The bytes that one location contributed.
    package struct Part: Sendable, Hashable {
        package let location: LocationID
        package let backend: BackendID
        /// The offset of the first byte.
        package let first: Int64
        /// The offset of the last byte.
        package let last: Int64
    }

    /// A failover, with the backends of its locations.
    package struct Failover: Sendable, Hashable {
        /// The backend that was left.
        package let from: BackendID
        /// The backend that brought the next bytes.
        package let to: BackendID
        /// The offset of the first byte from there.
        package let offset: Int64
        /// Whether bytes had been taken before.
        package let isMidStream: Bool
        /// The time without a byte.
        package let gap: Duration
        /// Why the old location was left.
        package let cause: AttemptFailure
    }

    /// Failures of one location for one reason.
    package struct Failure: Sendable, Hashable {
        package let location: LocationID
        package let backend: BackendID
        /// The first failure.
        package let failure: AttemptFailure
        /// The number of failures; at least 1.
        package internal(set) var count = 1
    }

    /// Chunks of the same contributors that did not have their digests. None of their bytes was delivered.
    package struct RejectedChunks: Sendable, Hashable {
        /// The offset of the first such chunk.
        package let start: Int64
        /// The locations that contributed to the chunks.
        package let contributors: [LocationID]
        /// The number of chunks; at least 1.
        package internal(set) var count = 1
    }

    package internal(set) var outcome: RelayOutcome
    /// The bytes that each location contributed.
    package internal(set) var parts: [Part] = []
    package internal(set) var failovers: [Failover] = []
    /// The failures by location and reason, in their order, including those that the relay recovered from.
    package internal(set) var failures: [Failure] = []
    /// The contributors of each whole that did not match its digest.
    package internal(set) var mismatches: [[LocationID]] = []
    /// The chunks that did not have their digests and were fetched again, by their contributors. A network that corrupts every
    /// other chunk of a large image makes one entry.
    package internal(set) var rejectedChunks: [RejectedChunks] = []
    /// The locations that agree with each other on a chunk, but not with the manifest, if no location agreed with the manifest.
    package internal(set) var contradictors: [LocationID] = []
    /// The manifest of a whole that matched its digest, if the relay made one.
    package internal(set) var manifest: Manifest?
    /// The location that contributed all of a whole that matched its digest, and the validator of its object.
    package internal(set) var verifiedAlone: (location: LocationID, validator: Validator?)?
    /// How often the relay continued after a server had closed a paused connection.
    package internal(set) var resumptions = 0
    /// The number of bytes that the client took.
    package internal(set) var delivered: Int64 = 0
    /// The number of bytes fetched beyond those delivered.
    package internal(set) var extraBytes: Int64 = 0
    /// The computed digest of the whole; nil if none was computed.
    package internal(set) var digest: Digest?

    init(outcome: RelayOutcome) { self.outcome = outcome }

    /// Adds a failure. Failures of one location for one reason are counted in one entry.
    /// - Returns: whether it is the first one.
    mutating func noteFailure(_ failure: AttemptFailure, at location: LocationID, in backend: BackendID) -> Bool {
        if let known = failures.firstIndex(where: { $0.location == location && $0.failure.reason == failure.reason }) {
            failures[known].count += 1
            return false
        }
        failures.append(Failure(location: location, backend: backend, failure: failure))
        return true
    }

    mutating func noteRejectedChunk(at start: Int64, contributors: [LocationID]) {
        if let known = rejectedChunks.firstIndex(where: { $0.contributors == contributors }) {
            rejectedChunks[known].count += 1
        } else {
            rejectedChunks.append(RejectedChunks(start: start, contributors: contributors))
        }
    }
}
