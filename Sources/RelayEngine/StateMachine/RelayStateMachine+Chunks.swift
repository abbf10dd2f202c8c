import BackendKit
import ImageModel

// The digests of chunks: a chunk that has its digest may leave, and any other chunk is fetched again.
extension RelayStateMachine {
    mutating func chunksVerified(upTo offset: Int64, at now: ContinuousClock.Instant) -> [RelayAction] {
        guard case .chunks = plan.verification, progress.noteVerified(upTo: offset) else { return [] }
        rejections = ChunkRejections()
        let actions = releaseWhatMay(at: now)
        switch phase {
        case .verifying: return offset == plan.end ? actions + allVerified(at: now) : actions
        case .attempting: return actions + pauseIfFull() + resumeIfRoom(at: now)
        case .awaitingRoom: return actions + continueIfRoom(at: now)
        case .idle, .deciding, .waiting, .draining, .ended: return actions
        }
    }

    /// Whether as many bytes as allowed wait for their verification.
    var isUnverifiedFull: Bool {
        guard case .chunks(let layout) = plan.verification else { return false }
        return progress.unverified >= Self.unverifiedLimit(window, layout, policy)
    }

    /// How many bytes may wait for their verification: with the ordinary window enough that reading never waits for a page of
    /// the manifest, with a smaller window one chunk.
    static func unverifiedLimit(_ window: Int64, _ layout: ChunkLayout, _ policy: RelayPolicy) -> Int64 {
        max(window, window < policy.window ? layout.chunkSize : 2 * layout.chunkSize)
    }

    /// Fetches the chunk again. If one location contributed all of it, that location is asked for it last. If several
    /// contributed, any of them may be right, and one of them is asked for the whole chunk.
    mutating func chunkRejected(_ start: Int64, _ digest: [UInt8], at now: ContinuousClock.Instant) -> [RelayAction] {
        guard case .chunks(let layout) = plan.verification, start >= progress.verifiedEnd, start < accepted else { return [] }
        let suspects = progress.contributors(to: start..<layout.end(of: layout.chunk(at: start)))
        let reader = attempt?.candidate ?? segments.last?.candidate
        var actions = forget(from: start)
        actions.append(.report(.chunkRejected(start: start, contributors: suspects)))
        guard suspects.count == 1, let suspect = suspects.first else {
            return actions + fetch(from: reader, at: now)
        }
        let failure = AttemptFailure(
            .wrongDigest, .location, detail: "the chunk at byte \(start) does not have its digest")
        let isRepeated = rejections.attribute(digest, to: suspect)
        candidates[suspect].mismatched(failure, isCertain: isRepeated, at: now)
        failover.begin(from: suspect, failure)
        actions.append(.report(.failed(candidate: suspect, failure)))
        return actions + fetch(from: reader, at: now)
    }

    /// Drops the bytes from `start` on, and cancels the attempt that brings more.
    private mutating func forget(from start: Int64) -> [RelayAction] {
        var actions: [RelayAction] = []
        if let running = attempt {
            actions.append(.cancel(running.id))
            enter(.deciding)
        }
        // Wrong bytes did not bring the relay forward, so taking their replacement is progress. That has a limit: a chunk that
        // is wrong each time would be fetched without an end.
        rejections.add()
        progress.rewind(to: start, isProgress: rejections.count <= 2 * candidates.count)
        return actions + [.rewind(to: start)]
    }

    /// Continues at the location that was read, if nothing is wrong with it.
    private mutating func fetch(from reader: Int?, at now: ContinuousClock.Instant) -> [RelayAction] {
        guard let reader, candidates[reader].condition == .good else { return beginNextAttempt(at: now) }
        return begin(reader, at: now)
    }
}
