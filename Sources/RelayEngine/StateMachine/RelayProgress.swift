import ImageModel

/// How far a relay has come: which bytes it has taken, verified, released and delivered, from where, and when it last advanced.
///
/// All offsets are offsets of the representation. Bytes leave in this order: taken (`accepted`), verified, released, consumed.
struct RelayProgress: Sendable {
    private let plan: RelayPlan
    /// The offset of the next byte to take.
    private(set) var accepted: Int64
    /// The offset below which every chunk has its digest.
    private(set) var verifiedEnd: Int64
    /// The offset below which bytes may leave.
    private(set) var released: Int64
    /// The number of bytes that the client has taken, as `Relay` last reported it.
    private(set) var consumed: Int64 = 0
    /// Whether the head of the response may have left.
    private(set) var isCommitted = false
    /// The largest value that `accepted` had: taking the same bytes again is not progress.
    private var reached: Int64
    /// The number of bytes fetched beyond those delivered.
    private(set) var extraBytes: Int64 = 0
    /// The locations that contributed the bytes, in order.
    private(set) var segments: [Segment] = []
    /// How often the whole was taken and did not match its digest.
    private(set) var restarts = 0
    /// The time of the last byte that was progress, or until which a lack of bytes is excused.
    private(set) var lastProgress: ContinuousClock.Instant
    /// The time of the last byte that the client took, or of the first one that it could take.
    private var lastConsumed: ContinuousClock.Instant
    /// Whether the relay yielded its permit, and neither a new one nor a byte has come since.
    private(set) var hasYielded = false

    init(_ plan: RelayPlan, at now: ContinuousClock.Instant) {
        self.plan = plan
        accepted = plan.start
        verifiedEnd = plan.start
        released = plan.delivery.lowerBound
        reached = plan.start
        lastProgress = now
        lastConsumed = now
    }

    /// The number of bytes that may leave and that the client has not taken yet.
    var buffered: Int64 { released - plan.delivery.lowerBound - consumed }

    /// The number of bytes taken that the client has not taken yet.
    var held: Int64 { max(0, accepted - plan.delivery.lowerBound - consumed) }

    /// The number of bytes taken whose chunks are not verified yet.
    var unverified: Int64 { accepted - verifiedEnd }

    // MARK: Taking bytes

    /// Takes the next bytes of the representation.
    /// - Returns: how many of them the relay had not taken before.
    mutating func accept(_ count: Int64, from candidate: Int, at now: ContinuousClock.Instant) -> Int64 {
        hasYielded = false
        if let last = segments.indices.last, segments[last].candidate == candidate {
            segments[last].end += count
        } else {
            segments.append(Segment(candidate: candidate, first: accepted, end: accepted + count))
        }
        extraBytes += count - plan.delivered(from: accepted, to: accepted + count)
        accepted += count
        guard accepted > reached else { return 0 }
        defer { reached = accepted }
        lastProgress = now
        return accepted - reached
    }

    /// Counts bytes that were fetched and not taken.
    mutating func waste(_ count: Int64) { extraBytes += count }

    /// Gives up the bytes from `start` on, which are not verified.
    /// - Parameter isProgress: whether taking them again counts as progress.
    mutating func rewind(to start: Int64, isProgress: Bool) {
        // The bytes outside the delivery were counted when they came.
        extraBytes += plan.delivered(from: start, to: accepted)
        accepted = start
        if isProgress { reached = start }
        segments.removeAll { $0.first >= start }
        if let last = segments.indices.last { segments[last].end = min(segments[last].end, start) }
    }

    /// Gives up all bytes: the whole did not match its digest, and none has left.
    mutating func restart() {
        restarts += 1
        extraBytes += accepted - plan.start
        accepted = plan.start
        reached = plan.start
        segments = []
    }

    // MARK: Releasing bytes

    /// - Returns: whether more chunks are verified than before.
    mutating func noteVerified(upTo offset: Int64) -> Bool {
        guard offset > verifiedEnd, offset <= accepted else { return false }
        verifiedEnd = offset
        return true
    }

    /// - Returns: whether more bytes may leave than before.
    mutating func release(upTo limit: Int64, at now: ContinuousClock.Instant) -> Bool {
        guard limit > released else { return false }
        if buffered == 0 { lastConsumed = now }  // a client can't take what was not there
        released = limit
        return true
    }

    /// Lets the head of the response leave.
    /// - Returns: whether that is new.
    mutating func commit() -> Bool {
        guard !isCommitted else { return false }
        isCommitted = true
        return true
    }

    /// Notes that the client has taken `count` bytes in all.
    /// - Returns: false if that is not news, or not possible.
    mutating func consume(_ count: Int64, at now: ContinuousClock.Instant) -> Bool {
        guard count > consumed, count <= released - plan.delivery.lowerBound else { return false }
        consumed = count
        lastConsumed = now
        return true
    }

    // MARK: Time

    /// Excuses the time until now: the client was not ready, or another download had the connection.
    mutating func excuse(until now: ContinuousClock.Instant) { lastProgress = now }

    /// Notes whether the relay yielded its permit.
    mutating func setYielded(_ hasYielded: Bool) { self.hasYielded = hasYielded }

    /// Notes that the relay has a permit again; the wait for it is excused.
    mutating func permitted(at now: ContinuousClock.Instant) {
        guard hasYielded else { return }
        hasYielded = false
        lastProgress = now
    }

    /// How long the relay has neither advanced nor delivered.
    func standstill(at now: ContinuousClock.Instant) -> Duration { now - max(lastProgress, lastConsumed) }

    /// How long the client has left bytes untaken; nil if none lie ready.
    func clientIdleTime(at now: ContinuousClock.Instant) -> Duration? { buffered > 0 ? now - lastConsumed : nil }

    // MARK: Contributors

    /// The locations that contributed to these bytes, in order.
    func contributors(to bytes: Range<Int64>) -> [Int] {
        var seen: [Int] = []
        for segment in segments where segment.first < bytes.upperBound && segment.end > bytes.lowerBound {
            if !seen.contains(segment.candidate) { seen.append(segment.candidate) }
        }
        return seen
    }
}

/// What is known of the next chunk if it was rejected.
struct ChunkRejections: Sendable {
    /// How often the chunk was rejected.
    private(set) var count = 0
    /// The other digests that single locations brought, in order.
    private var digests: [(candidate: Int, digest: [UInt8])] = []

    /// Counts one more rejection of the chunk.
    mutating func add() { count += 1 }

    /// Notes a digest that one location alone brought.
    /// - Returns: whether the location had brought a wrong digest for the chunk before.
    mutating func attribute(_ digest: [UInt8], to candidate: Int) -> Bool {
        defer { digests.append((candidate, digest)) }
        return digests.contains { $0.candidate == candidate }
    }

    /// The locations that brought the same other digest; empty unless there are two. Two make the manifest questionable.
    var contradictors: [Int] {
        for (candidate, digest) in digests {
            let agreeing = digests.filter { $0.digest == digest }.map(\.candidate)
            if agreeing.contains(where: { $0 != candidate }) { return Array(Set(agreeing)).sorted() }
        }
        return []
    }
}

/// A run of bytes that one location contributed.
package struct Segment: Sendable, Hashable {
    /// The location, by its index among the candidates.
    package let candidate: Int
    /// The offset of the first byte.
    package let first: Int64
    /// The offset after the last byte.
    package internal(set) var end: Int64
}
