internal import BackendKit

// What may leave, and when it is proven.
extension RelayStateMachine {
    /// Below this offset bytes may leave as soon as they are there: all, or all but the tail while the whole is unproven.
    private var releaseLimit: Int64 {
        if isProven || plan.proof == .none { return plan.end }
        return max(plan.start, plan.end - policy.tail)
    }

    mutating func releaseWhatMay(at now: ContinuousClock.Instant) -> [RelayAction] {
        let limit = min(accepted, releaseLimit)
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

    /// Every byte was taken: prove the whole, or let a range go.
    mutating func allTaken(at now: ContinuousClock.Instant) -> [RelayAction] {
        guard plan.proof == .digest, plan.size > 0 else { return complete(at: now) }
        phase = .proving
        return [.prove]
    }

    mutating func proven(at now: ContinuousClock.Instant) -> [RelayAction] {
        isProven = true
        return [.report(.proven(contributors: contributors))] + complete(at: now)
    }

    private mutating func complete(at now: ContinuousClock.Instant) -> [RelayAction] {
        phase = .draining
        var actions = releaseWhatMay(at: now) + commit()
        if buffered == 0 { actions += end(.finished) }
        return actions
    }

    /// The whole did not match. While nothing has left it is fetched again elsewhere; else the response is cut short.
    mutating func disproven(at now: ContinuousClock.Instant) -> [RelayAction] {
        let suspects = contributors
        let report = RelayAction.report(.disproven(contributors: suspects))
        guard !isCommitted else { return [report] + end(.disproven) }
        disproofs += 1
        let failure = AttemptFailure(.wrongDigest, .location, detail: "the bytes do not have the image's digest")
        for suspect in suspects {
            candidates[suspect].failure = failure
            // One that gave everything alone is wrong. Of several, each may be right: they are read again, alone if they hold.
            candidates[suspect].standing = suspects.count == 1 ? .excluded : .failed(readyAt: now)
        }
        if let first = suspects.first { move = (first, failure) }
        extraBytes += accepted - plan.start
        accepted = plan.start
        segments = []
        guard disproofs <= 2 * candidates.count else { return [report, .restart] + giveUp() }
        return [report, .restart] + moveOn(at: now)
    }

    private var contributors: [Int] {
        var seen: [Int] = []
        for segment in segments where !seen.contains(segment.candidate) { seen.append(segment.candidate) }
        return seen
    }

    /// The client took bytes: read on, or finish.
    mutating func consume(_ count: Int64, at now: ContinuousClock.Instant) -> [RelayAction] {
        guard count > consumed, count <= released - plan.start else { return [] }
        consumed = count
        lastConsumed = now
        switch phase {
        case .draining:
            return buffered == 0 ? end(.finished) : []
        case .awaitingRoom:
            lastProgress = now  // until now the client was the one that was not ready
            return continueIfRoom(at: now)
        case .attempting:
            guard let running = attempt, running.isPaused, buffered <= policy.window / 2 else { return [] }
            attempt?.isPaused = false
            attempt?.lastSign = now
            lastProgress = now
            return [.resume(running.id)]
        case .idle, .waiting, .proving, .ended:
            return []
        }
    }
}
