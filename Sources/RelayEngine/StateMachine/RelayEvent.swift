package import BackendKit
package import ImageModel
package import LocationSelection

/// Identifies one attempt within a relay.
package struct AttemptID: Sendable, Hashable {
    let number: Int
}

/// An event of a relay.
package enum RelayEvent: Sendable, Equatable {
    /// The relay starts.
    case begin
    /// The attempt has its permit: one of the connections of the location's backend.
    case permitted(AttemptID)
    /// The attempt has made its request.
    case requested(AttemptID)
    /// The attempt has its connection or worker. Waiting for one is not a stall.
    case began(AttemptID)
    /// The head of the response has arrived, and the driver accepts it.
    case head(AttemptID, ObjectHead)
    /// Bytes of the body came. They were dropped or kept as the attempt's `BodyWindow` says.
    case bytes(AttemptID, dropped: Int64, kept: Int64)
    /// The body ended as the server announced.
    case completed(AttemptID)
    /// The attempt failed.
    case failed(AttemptID, AttemptFailure)
    /// The digest of the whole was compared with the image's digest.
    case wholeDigestCompared(matched: Bool)
    /// Every chunk below that offset has its digest.
    case chunksVerified(upTo: Int64)
    /// The chunk that begins at `start` does not have its digest, but this one. No later chunk was verified.
    case chunkRejected(start: Int64, digest: [UInt8])
    /// The manifest can't be read.
    case manifestUnreadable
    /// The client took bytes. The number counts all bytes since the start.
    case consumed(Int64)
    /// The client went away.
    case clientGone
    /// The location may not serve any more: at once (its content is wrong), or as soon as another one can (an operator disables
    /// it).
    case withdrawn(candidate: Int, atOnce: Bool)
    /// The estimated throughput of each candidate, which an `estimate` action asked for.
    case estimated(AttemptID, [ThroughputEstimate])
    /// From now on this many bytes may wait for the client.
    case window(Int64)
    /// Another download waits for the attempt's permit.
    case permitWanted(AttemptID)
    /// Time passed.
    case tick
}

/// An action of a relay. Locations are named by their index among the candidates.
package enum RelayAction: Sendable, Equatable {
    /// Begin an attempt. A range of nil requests the whole object without a Range.
    case start(AttemptID, candidate: Int, range: ByteRange?)
    /// End an attempt.
    case cancel(AttemptID)
    /// Read the attempt's `BodyWindow` again: it has changed.
    case limit(AttemptID)
    /// Estimate the throughput of each candidate.
    case estimate(AttemptID)
    /// Set the terms on which the attempt's permit may be asked back.
    case offerPermit(AttemptID, ConnectionOffer)
    /// Keep the attempt's permit although another download asks for it.
    case insistOnPermit(AttemptID)
    /// Pause the attempt.
    case pause(AttemptID)
    /// Resume the attempt.
    case resume(AttemptID)
    /// Send the head of the response. A refusal is no longer possible then.
    case commit
    /// Everything below this offset may leave.
    case release(upTo: Int64)
    /// Compare the digest of the whole with the image's digest.
    case compareWholeDigest
    /// Drop all bytes, none of which has left, and start the digest again.
    case restart
    /// Drop the bytes from that offset on, none of which has left.
    case rewind(to: Int64)
    /// End the response: all bytes are delivered.
    case finish
    /// Cut the response short.
    case abort(RelayOutcome)
    /// Respond that no location can serve. No byte has left.
    case refuse
    /// Report an observation.
    case report(RelayReport)
}

/// How a relay ended. The raw values are used in logs and metrics.
package enum RelayOutcome: String, Sendable, Hashable {
    /// All bytes were delivered and verified.
    case finished
    /// No location could serve, before the first byte.
    case refused
    /// No location could continue after the first byte.
    case exhausted
    /// The whole did not match its digest after bytes had left.
    case digestMismatch = "digest-mismatch"
    /// The client closed the connection.
    case clientGone = "client-gone"
    /// The client read nothing for `relay.client_stall_timeout`.
    case clientStalled = "client-stalled"
}

/// An observation of a relay. Locations are named by their index among the candidates.
package enum RelayReport: Sendable, Equatable {
    /// An attempt failed.
    case failed(candidate: Int, AttemptFailure)
    /// An attempt that had brought new bytes was interrupted, and the relay continued at once. The first interruption of a
    /// location is reported as `failed`.
    case interrupted(candidate: Int, AttemptFailure)
    /// The server closed a connection that the relay had paused. The relay continued at the same location, which has not
    /// failed.
    case resumed(candidate: Int, offset: Int64)
    /// The throughput of the running attempt, without the time during which the client did not read.
    case pace(candidate: Int, bytesPerSecond: Double)
    /// The first byte came from another location.
    case failover(Failover)
    /// All bytes are verified.
    case allVerified(contributors: [Int])
    /// A chunk does not have its digest.
    case chunkRejected(start: Int64, contributors: [Int])
    /// These locations agree with each other on a chunk's bytes, but not with the manifest, and no location agrees with the
    /// manifest.
    case contradicted([Int])
    /// The whole does not match its digest.
    case digestMismatch(contributors: [Int])
}

extension RelayReport {
    /// A failover that has brought bytes.
    package struct Failover: Sendable, Equatable {
        /// The location that was left.
        package let from: Int
        /// The location that brings the next bytes.
        package let to: Int
        /// The offset of the first byte from there.
        package let offset: Int64
        /// Whether bytes had been taken before.
        package let isMidStream: Bool
        /// The time from the last byte of the old location, or from the start, to the first byte of the new one.
        package let gap: Duration
        /// Why the old location was left.
        package let cause: AttemptFailure
    }
}
