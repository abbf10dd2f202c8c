import BackendKit
import ImageModel

// What may leave, and when it is verified.
extension RelayStateMachine {
    /// Below this offset bytes may leave as soon as they are there: all, or all but the tail while the whole is unverified.
    private var releaseLimit: Int64 {
        switch plan.verification {
        case .none: accepted
        case .digest: min(accepted, isVerified ? plan.end : max(plan.start, plan.end - policy.tail))
        case .chunks: min(verified, plan.delivery.upperBound)
        }
    }

    mutating func releaseWhatMay(at now: ContinuousClock.Instant) -> [RelayAction] {
        let limit = releaseLimit
        guard limit > released else { return [] }
        if buffered == 0 { lastConsumed = now }  // a client can't take what was not there
        released = limit
        return commit() + [.release(upTo: limit)]
    }

    private mutating func commit() -> [RelayAction] {
        guard !isCommitted else { return [] }
        isCommitted = true
        return [.commit]
    }

    /// Every byte was taken: verify the whole, or let a range go.
    mutating func allTaken(at now: ContinuousClock.Instant) -> [RelayAction] {
        switch plan.verification {
        case .digest where plan.size > 0:
            phase = .verifying
            return [.verify]
        case .chunks where verified < plan.end:
            phase = .verifying
            return []
        case .chunks: return verified(at: now)
        case .digest, .none: return complete(at: now)
        }
    }

    mutating func verified(at now: ContinuousClock.Instant) -> [RelayAction] {
        isVerified = true
        return [.report(.verified(contributors: contributors))] + complete(at: now)
    }

    private mutating func complete(at now: ContinuousClock.Instant) -> [RelayAction] {
        phase = .draining
        var actions = releaseWhatMay(at: now) + commit()
        if buffered == 0 { actions += end(.finished) }
        return actions
    }

    /// The whole did not match. While nothing has left it is fetched again elsewhere; else the response is cut short.
    mutating func digestMismatch(at now: ContinuousClock.Instant) -> [RelayAction] {
        let suspects = contributors
        let report = RelayAction.report(.digestMismatch(contributors: suspects))
        guard !isCommitted else { return [report] + end(.digestMismatch) }
        mismatches += 1
        let failure = AttemptFailure(.wrongDigest, .location, detail: "the bytes do not have the image's digest")
        for suspect in suspects {
            candidates[suspect].failure = failure
            candidates[suspect].isRevisitFree = false
            // One that gave everything alone is wrong. Of several, each may be right: they are read again, alone if they hold.
            candidates[suspect].standing = suspects.count == 1 ? .excluded : .failed(readyAt: now)
        }
        if let first = suspects.first { move = (first, failure) }
        extraBytes += accepted - plan.start
        accepted = plan.start
        reached = plan.start
        segments = []
        guard mismatches <= 2 * candidates.count else { return [report, .restart] + giveUp() }
        return [report, .restart] + moveOn(at: now)
    }

    private var contributors: [Int] { contributors(to: plan.start..<plan.end) }

    /// The client took bytes: read on, or finish.
    mutating func consume(_ count: Int64, at now: ContinuousClock.Instant) -> [RelayAction] {
        guard count > consumed, count <= released - plan.delivery.lowerBound else { return [] }
        consumed = count
        lastConsumed = now
        switch phase {
        case .draining:
            return buffered == 0 ? end(.finished) : []
        case .awaitingRoom:
            lastProgress = now  // until now the client was the one that was not ready
            return continueIfRoom(at: now)
        case .attempting:
            return resumeIfRoom(at: now)
        case .idle, .waiting, .verifying, .ended:
            return []
        }
    }

    /// Reads on where reading was stopped, once there is room again.
    mutating func resumeIfRoom(at now: ContinuousClock.Instant) -> [RelayAction] {
        guard let running = attempt, running.isPaused, buffered <= window / 2, !isUnverifiedFull else { return [] }
        attempt?.isPaused = false
        lastProgress = now
        return [.resume(running.id)]
    }
}

// How much may wait in memory. It changes with what all downloads together take.
extension RelayStateMachine {
    /// The window is another one. What is held beyond a smaller one stays until the client has taken it.
    mutating func setWindow(_ bytes: Int64, at now: ContinuousClock.Instant) -> [RelayAction] {
        let hasGrown = bytes > window
        window = bytes
        guard hasGrown else { return [] }
        return resumeIfRoom(at: now) + continueIfRoom(at: now)
    }

    /// The bytes taken that the client has not got yet.
    var held: Int64 { max(0, accepted - plan.delivery.lowerBound - consumed) }

    /// How many bytes may wait for their decision: with the ordinary window enough for reading never to wait for a page of the
    /// manifest, with a smaller one a chunk.
    static func unverifiedLimit(_ window: Int64, _ layout: ChunkLayout, _ policy: RelayPolicy) -> Int64 {
        max(window, window < policy.window ? layout.chunkSize : 2 * layout.chunkSize)
    }
}
