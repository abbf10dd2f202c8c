package import BackendKit
package import ImageModel
package import LocationSelection

/// Names one attempt within a relay.
package struct AttemptID: Sendable, Hashable {
    let number: Int
}

/// What happens to a relay.
package enum RelayEvent: Sendable, Equatable {
    /// It is to start.
    case begin
    /// The attempt holds its permit: one of the connections of the location's backend.
    case permitted(AttemptID)
    /// The attempt has made its request, with credentials that should be good.
    case requested(AttemptID)
    /// The attempt got its connection or worker; waiting for one is no stall.
    case began(AttemptID)
    /// The answer's head is there and the driver found it good.
    case head(AttemptID, ObjectHead)
    /// Bytes of the body came: some dropped, some kept, as the attempt's `BodyWindow` says.
    case bytes(AttemptID, dropped: Int64, kept: Int64)
    /// The body ended as the server announced.
    case completed(AttemptID)
    /// The attempt is over without having brought what it should.
    case failed(AttemptID, AttemptFailure)
    /// The digest of the whole was compared.
    case verification(matched: Bool)
    /// Every chunk below that offset has its digest.
    case verified(upTo: Int64)
    /// The chunk that begins at `start` does not have its digest; its bytes have this one. Nothing behind it was looked at.
    case rejected(start: Int64, digest: [UInt8])
    /// The digests that the chunks must have can't be read.
    case manifestUnreadable
    /// The client took bytes; the count is of all bytes since the start.
    case consumed(Int64)
    /// The client went away.
    case clientGone
    /// The location may not serve any more, by its index among the candidates: at once (its content is wrong), or as soon as
    /// another one can (an operator takes it out).
    case withdrawn(candidate: Int, atOnce: Bool)
    /// The estimate that the attempt asked for: what can be expected of each candidate.
    case estimated(AttemptID, [ThroughputEstimate])
    /// So many bytes may wait for the client from now on.
    case window(Int64)
    /// Another download waits for the permit that the attempt has.
    case permitWanted(AttemptID)
    /// Time passed.
    case tick
}

/// What a relay is to do, in this order.
package enum RelayAction: Sendable, Equatable {
    /// Begin an attempt: ask a location (by its index among the candidates) for bytes; nil asks for all without a Range.
    case start(AttemptID, candidate: Int, range: ByteRange?)
    /// End an attempt.
    case cancel(AttemptID)
    /// Another number of bytes is wanted of the attempt: take its window again.
    case limit(AttemptID)
    /// Find out what can be expected of each candidate.
    case estimate(AttemptID)
    /// Say on what terms the attempt's permit may be asked back.
    case offerPermit(AttemptID, ConnectionOffer)
    /// Say that the permit can't be given back although it was asked for.
    case insistOnPermit(AttemptID)
    /// Stop reading for now.
    case pause(AttemptID)
    /// Read on.
    case resume(AttemptID)
    /// Send the response's head: success is still possible and no refusal any more.
    case commit
    /// Everything below this offset may leave.
    case release(upTo: Int64)
    /// Compare the digest of the whole.
    case verify
    /// Forget all bytes taken so far and start the digest again: none of them has left.
    case restart
    /// Forget the bytes taken from that offset on: none of them has left.
    case rewind(to: Int64)
    /// All is delivered: end the response well.
    case finish
    /// Cut the response short.
    case abort(RelayOutcome)
    /// Answer that no location can serve; no byte has left.
    case refuse
    /// Let others know.
    case report(RelayReport)
}

/// How a relay ended.
package enum RelayOutcome: String, Sendable, Hashable {
    /// Everything was delivered.
    case finished
    /// No location could serve, before the first byte.
    case refused
    /// No location could go on, after the first byte.
    case exhausted
    /// The digest did not match after bytes had left.
    case digestMismatch = "digest-mismatch"
    /// The client went away.
    case clientGone = "client-gone"
    /// The client read nothing for too long.
    case clientStalled = "client-stalled"
}

/// What others may want to know of a relay's course.
package enum RelayReport: Sendable, Equatable {
    /// An attempt failed.
    case failed(candidate: Int, AttemptFailure)
    /// An attempt that had brought the relay forward was interrupted, not the first one of its location: gone on at once.
    case interrupted(candidate: Int, AttemptFailure)
    /// The server had closed a connection that we had paused: gone on at the same place, nobody's fault.
    case resumed(candidate: Int, offset: Int64)
    /// The location that is read brings its bytes at this rate, time in which the client did not read left out.
    case pace(candidate: Int, bytesPerSecond: Double)
    /// The relay moved on, and the first byte came from the new place.
    case failover(Failover)
    /// All that was taken was verified; the contributors by their index.
    case verified(contributors: [Int])
    /// A chunk does not have its digest; who contributed to it by their index.
    case rejected(start: Int64, contributors: [Int])
    /// These locations, by their index, agree with each other on a chunk's bytes against the manifest, and none agrees with it.
    case contradicted([Int])
    /// The digest did not match; the contributors by their index.
    case digestMismatch(contributors: [Int])
}

/// A move from one location to another that worked.
package struct Failover: Sendable, Equatable {
    /// Where the relay came from.
    package let from: Int
    /// Where it went on.
    package let to: Int
    /// At which byte.
    package let offset: Int64
    /// Whether bytes had been taken before.
    package let isMidStream: Bool
    /// From the last byte of the old place (or the start) to the first of the new.
    package let gap: Duration
    /// Why.
    package let cause: AttemptFailure
}
