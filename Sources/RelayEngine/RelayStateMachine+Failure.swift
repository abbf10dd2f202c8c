import BackendKit
import LocationSelection

// What to do when an attempt fails: go on at the next location, come back to one, or give up.
extension RelayStateMachine {
    /// The running attempt failed. It is over, or its `cancel` was or will be ordered by the caller.
    mutating func fail(_ failure: AttemptFailure, at now: ContinuousClock.Instant) -> [RelayAction] {
        guard let failed = attempt else { return [] }
        attempt = nil
        if failure.isConnectionEnd, failed.wasPaused, failed.received > 0 {
            // Servers cut readers that pause: that is our doing. Without progress in between it is not excused again.
            phase = .awaitingRoom(candidate: failed.candidate)
            return [.report(.resumed(candidate: failed.candidate, offset: accepted))] + continueIfRoom(at: now)
        }
        let report = note(failure, of: failed, at: now)
        if move == nil { move = (failed.candidate, failure) }
        return [.report(report)] + moveOn(at: now)
    }

    /// How often in a row an object may change without bringing a byte before that counts as a failure: one that is written all the
    /// time would be read for ever.
    private static let freeChanges = 3

    private mutating func note(_ failure: AttemptFailure, of failed: Attempt, at now: ContinuousClock.Instant) -> RelayReport {
        let candidate = failed.candidate
        candidates[candidate].failure = failure
        if failure.reason == .stall { candidates[candidate].stalls += 1 }
        if failed.gained > 0 { candidates[candidate].changes = 0 }
        if failed.gained > 0, failure.failureClass == .backend { return interrupted(failed, failure, at: now) }
        candidates[candidate].interruptedAfter = nil
        candidates[candidate].isRevisitFree = false
        if failure.reason == .noRanges {
            // It keeps its standing as the last resort.
        } else if failure.reason == .validatorChanged, plan.verification != .none,
            candidates[candidate].changes < Self.freeChanges
        {
            // Whatever the object is now, its bytes are verified.
            if failed.gained == 0 { candidates[candidate].changes += 1 }
            standBack(candidate, at: now)
        } else if failure.isWorthRevisiting || (failure.reason == .validatorChanged && plan.verification != .none) {
            // A server that says "at once" would have all revisits spent in a moment.
            let wait = max(failure.retryAfter ?? .zero, backoff.next(using: &random))
            candidates[candidate].standing = .failed(readyAt: now + wait)
        } else {
            candidates[candidate].standing = .excluded
        }
        return .failed(candidate: candidate, failure)
    }

    /// Picks where to go on: the first location not tried yet, at once; then one that nothing is wrong with, such as one that was
    /// left for a faster one or interrupted; then one that knows no ranges; then one that failed and may have recovered.
    mutating func moveOn(at now: ContinuousClock.Instant) -> [RelayAction] {
        if let soundOrigin { return begin(soundOrigin, at: now) }
        if let untried = candidates.firstIndex(where: { $0.standing == .untried }) { return begin(untried, at: now) }
        if let soundCandidate { return begin(soundCandidate, at: now) }
        if accepted <= policy.discardLimit,
            let lastResort = candidates.firstIndex(where: { $0.standing == .ignoresRanges })
        {
            return begin(lastResort, mayDiscard: true, at: now)
        }
        guard let (candidate, readyAt) = earliestRevisit, candidates[candidate].isRevisitFree || budget.spend() else {
            return giveUp()
        }
        if readyAt <= now { return begin(candidate, at: now) }
        phase = .waiting(candidate: candidate, until: readyAt)
        return []
    }

    private var earliestRevisit: (candidate: Int, readyAt: ContinuousClock.Instant)? {
        var earliest: (candidate: Int, readyAt: ContinuousClock.Instant)?
        for (index, state) in candidates.enumerated() {
            guard case .failed(let readyAt) = state.standing else { continue }
            if earliest.map({ readyAt < $0.readyAt }) ?? true { earliest = (index, readyAt) }
        }
        return earliest
    }

    /// No location can go on: say so honestly.
    mutating func giveUp() -> [RelayAction] {
        let contradictors = contradictors
        let reports: [RelayAction] = contradictors.isEmpty ? [] : [.report(.contradicted(contradictors))]
        return reports + (isCommitted ? end(.exhausted) : end(.refused))
    }

    /// Ends the relay, whatever runs.
    mutating func end(_ outcome: RelayOutcome) -> [RelayAction] {
        var actions: [RelayAction] = []
        if let running = attempt { actions.append(.cancel(running.id)) }
        attempt = nil
        phase = .ended(outcome)
        switch outcome {
        case .finished: actions.append(.finish)
        case .refused: actions.append(.refuse)
        default: actions.append(.abort(outcome))
        }
        return actions
    }

    mutating func tick(at now: ContinuousClock.Instant) -> [RelayAction] {
        if buffered > 0, now - lastConsumed >= policy.clientStallTimeout { return end(.clientStalled) }
        switch phase {
        case .attempting:
            guard let running = attempt, !running.isPaused else { return [] }
            return hasWaitedEnough(at: now) ? giveUp(on: running, at: now) : []
        case .waiting(let candidate, let until):
            if hasWaitedEnough(at: now) { return giveUp() }
            return until <= now ? begin(candidate, at: now) : []
        case .idle, .awaitingRoom, .verifying, .draining, .ended:
            return []
        }
    }

    /// Whether the client has got nothing for so long that it is to be told. As long as it takes what lies ready it has no trouble.
    private func hasWaitedEnough(at now: ContinuousClock.Instant) -> Bool {
        // Who gave a permit up for others waits for the next one as long as a client may take nothing.
        let timeout = hasGivenWay ? max(policy.giveUpAfter, policy.clientStallTimeout) : policy.giveUpAfter
        return now - max(lastProgress, lastConsumed) >= timeout
    }

    /// The time is over while an attempt runs. One that was never let in has failed for that; the others' failures are known.
    private mutating func giveUp(on running: Attempt, at now: ContinuousClock.Instant) -> [RelayAction] {
        let failure: AttemptFailure
        switch running.stage {
        case .awaitingPermit: failure = .busy(after: now - running.stageSince)
        case .requested where !running.hasBegun: failure = .noWorker(for: now - running.stageSince)
        case .awaitingCredentials, .requested: return giveUp()
        }
        candidates[running.candidate].failure = failure
        return [.report(.failed(candidate: running.candidate, failure))] + giveUp()
    }

    /// How long the candidate may give nothing: twice as long after each stall.
    func stallTimeout(of candidate: Int) -> Duration {
        let doubled = policy.stallTimeout * (1 << min(candidates[candidate].stalls, 16))
        return max(policy.stallTimeout, min(policy.stallTimeoutLimit, doubled))
    }
}

// Attempts that end early although something came of them: the relay goes on at once, and no location is taken for a failing one.
extension RelayStateMachine {
    /// An attempt brought the relay forward before it broke. Whatever it brought, the location serves: coming back to it neither waits
    /// nor costs a revisit. Others hear of the first time only, however short the attempts are.
    mutating func interrupted(
        _ failed: Attempt, _ failure: AttemptFailure, at now: ContinuousClock.Instant
    ) -> RelayReport {
        let candidate = failed.candidate
        candidates[candidate].interruptedAfter = failed.gained
        candidates[candidate].interruptions += 1
        candidates[candidate].isRevisitFree = true
        // A stall has cost time already: a location that failed before and is ready again has its turn first.
        if failure.reason == .stall { candidates[candidate].standing = .failed(readyAt: now) }
        return candidates[candidate].interruptions == 1
            ? .failed(candidate: candidate, failure) : .interrupted(candidate: candidate, failure)
    }

    /// The candidate has another object than before, and the digest of the whole will tell whether its bytes are the same. Until then
    /// those go first that raise no such question, also one that failed and is about to be ready again.
    mutating func standBack(_ candidate: Int, at now: ContinuousClock.Instant) {
        let othersMayRecover = candidates.contains { if case .failed = $0.standing { true } else { false } }
        candidates[candidate].hasChanged = true
        candidates[candidate].isRevisitFree = true
        candidates[candidate].standing = .failed(readyAt: othersMayRecover ? now + policy.backoff : now)
    }

    /// Where to go on among those that nothing is wrong with: at one that was never interrupted, such as one that was left for a
    /// faster one; else where it was, unless an attempt at another one lasts at least twice as long.
    var soundCandidate: Int? {
        let sound = candidates.indices.filter { candidates[$0].standing == .good }
        if let unbroken = sound.first(where: { candidates[$0].interruptedAfter == nil }) { return unbroken }
        func yield(_ candidate: Int) -> Int64 { candidates[candidate].interruptedAfter ?? 0 }
        guard let best = sound.max(by: { yield($0) < yield($1) }) else { return nil }
        if let current = segments.last?.candidate, sound.contains(current), yield(best) / 2 < yield(current) { return current }
        return best
    }
}
