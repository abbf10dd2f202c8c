import BackendKit
import ImageModel

// What the digests of chunks say: a chunk that has its own may leave, one that has another is fetched again.
extension RelayStateMachine {
    mutating func verified(upTo offset: Int64, at now: ContinuousClock.Instant) -> [RelayAction] {
        guard case .chunks = plan.verification, offset > verified, offset <= accepted else { return [] }
        verified = offset
        rejections = []
        chunkRejections = 0
        let actions = releaseWhatMay(at: now)
        switch phase {
        case .verifying: return verified == plan.end ? actions + verified(at: now) : actions
        case .attempting: return actions + pauseIfFull() + resumeIfRoom(at: now)
        case .awaitingRoom: return actions + continueIfRoom(at: now)
        case .idle, .waiting, .draining, .ended: return actions
        }
    }

    /// Whether so much was taken without a decision that more would have no bound.
    var isUnverifiedFull: Bool {
        guard case .chunks(let layout) = plan.verification else { return false }
        return accepted - verified >= Self.unverifiedLimit(window, layout, policy)
    }

    /// The chunk is fetched again. Who gave it alone is asked for it again last; of several each may be right, and one
    /// of them is asked for all of it.
    mutating func rejected(_ start: Int64, _ digest: [UInt8], at now: ContinuousClock.Instant) -> [RelayAction] {
        guard case .chunks(let layout) = plan.verification, start >= verified, start < accepted else { return [] }
        let suspects = contributors(to: start..<layout.end(of: layout.chunk(at: start)))
        let reader = attempt?.candidate ?? segments.last?.candidate
        var actions = forget(from: start)
        actions.append(.report(.rejected(start: start, contributors: suspects)))
        guard suspects.count == 1, let suspect = suspects.first else {
            return actions + fetch(from: reader, at: now)
        }
        let failure = AttemptFailure(
            .wrongDigest, .location, detail: "the chunk at byte \(start) does not have its digest")
        let isRepeated = rejections.contains { $0.candidate == suspect }
        rejections.append((suspect, digest))
        candidates[suspect].failure = failure
        candidates[suspect].isRevisitFree = false
        if candidates[suspect].standing != .excluded {
            candidates[suspect].standing = isRepeated ? .excluded : .failed(readyAt: now)
        }
        if move == nil { move = (suspect, failure) }
        actions.append(.report(.failed(candidate: suspect, failure)))
        return actions + fetch(from: reader, at: now)
    }

    /// Gives up what was taken from `start` on, and whatever brings more.
    private mutating func forget(from start: Int64) -> [RelayAction] {
        var actions: [RelayAction] = []
        if let running = attempt { actions.append(.cancel(running.id)) }
        attempt = nil
        // What lies beyond the delivery has been counted as it came.
        extraBytes += plan.delivered(from: start, to: accepted)
        accepted = start
        // What was wrong did not bring the relay forward: to take it again is progress. Not for ever, or a chunk that comes wrong again
        // and again would be fetched without an end.
        chunkRejections += 1
        if chunkRejections <= 2 * candidates.count { reached = start }
        segments.removeAll { $0.first >= start }
        if let last = segments.indices.last { segments[last].end = min(segments[last].end, start) }
        return actions + [.rewind(to: start)]
    }

    /// Who is reading goes on, if nothing is wrong with it.
    private mutating func fetch(from reader: Int?, at now: ContinuousClock.Instant) -> [RelayAction] {
        guard let reader, candidates[reader].standing == .good else { return moveOn(at: now) }
        return begin(reader, at: now)
    }

    /// The locations that gave the next chunk with one and the same other digest, if there are two: then the manifest is in question.
    var contradictors: [Int] {
        for (candidate, digest) in rejections {
            let agreeing = rejections.filter { $0.digest == digest }.map(\.candidate)
            if agreeing.contains(where: { $0 != candidate }) { return Array(Set(agreeing)).sorted() }
        }
        return []
    }

    /// Who contributed to these bytes, in order.
    func contributors(to bytes: Range<Int64>) -> [Int] {
        var seen: [Int] = []
        for segment in segments where segment.first < bytes.upperBound && segment.end > bytes.lowerBound {
            if !seen.contains(segment.candidate) { seen.append(segment.candidate) }
        }
        return seen
    }
}
