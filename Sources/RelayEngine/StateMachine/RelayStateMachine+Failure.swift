import BackendKit
import LocationSelection

// What follows a failed attempt: the next location, a return to one, or the end.
extension RelayStateMachine {
    /// The running attempt failed. It is over, or the caller has ordered its `cancel`, or will.
    mutating func fail(_ failure: AttemptFailure, at now: ContinuousClock.Instant) -> [RelayAction] {
        guard let failed = attempt else { return [] }
        enter(.deciding)
        if failure.isConnectionEnd, failed.wasPaused, failed.received > 0 {
            // Servers close connections that a reader has paused, which is not the location's fault. Without progress in
            // between it is not excused again.
            enter(.awaitingRoom(candidate: failed.candidate))
            return [.report(.resumed(candidate: failed.candidate, offset: accepted))] + continueIfRoom(at: now)
        }
        let report = note(failure, of: failed, at: now)
        failover.begin(from: failed.candidate, failure)
        return [.report(report)] + beginNextAttempt(at: now)
    }

    private mutating func note(
        _ failure: AttemptFailure, of failed: RelayAttempt, at now: ContinuousClock.Instant
    ) -> RelayReport {
        let candidate = failed.candidate
        candidates[candidate].failed(failure, gained: failed.gained)
        if failed.gained > 0, failure.failureClass == .backend {
            let isFirst = candidates[candidate].interrupted(by: failure, gained: failed.gained, at: now)
            return isFirst ? .failed(candidate: candidate, failure) : .interrupted(candidate: candidate, failure)
        }
        let isVerifiedChange = failure.reason == .validatorChanged && plan.verification != .none
        if failure.reason == .noRanges {
            candidates[candidate].remainWithoutRanges()
        } else if isVerifiedChange, candidates[candidate].mayChangeAgain {
            // Whatever the object is now, its bytes are verified. Locations whose object has not changed are tried first,
            // including one that failed and is about to be ready again.
            let othersMayRecover = candidates.contains { if case .failed = $0.condition { true } else { false } }
            candidates[candidate].objectChanged(readyAt: othersMayRecover ? now + policy.backoff : now, gained: failed.gained)
        } else if isVerifiedChange || failure.isWorthRevisiting {
            // A server that says "at once" would have all revisits spent in a moment.
            candidates[candidate].retry(at: now + max(failure.retryAfter ?? .zero, backoff.next(using: &random)))
        } else {
            candidates[candidate].exclude()
        }
        return .failed(candidate: candidate, failure)
    }

    /// Begins the next attempt: at the first location not tried yet, at once; then at one that has not failed, for example one
    /// that was left for a faster one or interrupted; then at one that knows no ranges; then at one that failed and may have
    /// recovered.
    mutating func beginNextAttempt(at now: ContinuousClock.Instant) -> [RelayAction] {
        if let soundOrigin { return begin(soundOrigin, at: now) }
        if let untried = candidates.firstIndex(where: { $0.condition == .untried }) { return begin(untried, at: now) }
        if let soundCandidate { return begin(soundCandidate, at: now) }
        if accepted <= policy.discardLimit,
            let withoutRanges = candidates.firstIndex(where: { $0.condition == .ignoresRanges })
        {
            return begin(withoutRanges, mayDiscard: true, at: now)
        }
        guard let (candidate, readyAt, isFree) = earliestRevisit, isFree || budget.spend() else { return giveUp() }
        if readyAt <= now { return begin(candidate, at: now) }
        enter(.waiting(candidate: candidate, until: readyAt))
        return []
    }

    private var earliestRevisit: (candidate: Int, readyAt: ContinuousClock.Instant, isFree: Bool)? {
        var earliest: (candidate: Int, readyAt: ContinuousClock.Instant, isFree: Bool)?
        for (index, state) in candidates.enumerated() {
            guard case .failed(let readyAt, let isFree) = state.condition else { continue }
            if earliest.map({ readyAt < $0.readyAt }) ?? true { earliest = (index, readyAt, isFree) }
        }
        return earliest
    }

    /// The location that was left for a faster one, if the faster one has brought nothing: it is tried before untried ones.
    private var soundOrigin: Int? {
        guard let (candidate, cause) = failover.origin, cause.reason == .slow, candidates[candidate].condition == .good else {
            return nil
        }
        return candidate
    }

    /// Where to continue among the locations that have not failed: at one that was never interrupted, for example one that was
    /// left for a faster one; else where the relay was, unless an attempt at another one lasts at least twice as long.
    private var soundCandidate: Int? {
        let sound = candidates.indices.filter { candidates[$0].condition == .good }
        if let unbroken = sound.first(where: { candidates[$0].interruptedAfter == nil }) { return unbroken }
        func lastGain(of candidate: Int) -> Int64 { candidates[candidate].interruptedAfter ?? 0 }
        guard let best = sound.max(by: { lastGain(of: $0) < lastGain(of: $1) }) else { return nil }
        if let current = segments.last?.candidate, sound.contains(current), lastGain(of: best) / 2 < lastGain(of: current) {
            return current
        }
        return best
    }

    /// No location can continue.
    mutating func giveUp() -> [RelayAction] {
        let contradictors = rejections.contradictors
        let reports: [RelayAction] = contradictors.isEmpty ? [] : [.report(.contradicted(contradictors))]
        return reports + (isCommitted ? end(.exhausted) : end(.refused))
    }

    mutating func tick(at now: ContinuousClock.Instant) -> [RelayAction] {
        if let idleTime = progress.clientIdleTime(at: now), idleTime >= policy.clientStallTimeout { return end(.clientStalled) }
        switch phase {
        case .attempting(let running):
            return !running.isPaused && isOverdue(at: now) ? giveUp(on: running, at: now) : []
        case .waiting(let candidate, let until):
            if isOverdue(at: now) { return giveUp() }
            return until <= now ? begin(candidate, at: now) : []
        case .idle, .deciding, .awaitingRoom, .verifying, .draining, .ended:
            return []
        }
    }

    /// Whether the client has got nothing for so long that the relay gives up. While it takes bytes that lie ready it lacks
    /// nothing.
    private func isOverdue(at now: ContinuousClock.Instant) -> Bool {
        // A relay that yielded its permit waits for the next one as long as a client may take nothing.
        let timeout = progress.hasYielded ? max(policy.giveUpAfter, policy.clientStallTimeout) : policy.giveUpAfter
        return progress.standstill(at: now) >= timeout
    }

    /// Gives up while an attempt runs. An attempt that never got its permit or worker has failed for that; the failures of the
    /// others are known.
    private mutating func giveUp(on running: RelayAttempt, at now: ContinuousClock.Instant) -> [RelayAction] {
        guard let failure = running.starvation(at: now) else { return giveUp() }
        candidates[running.candidate].starved(failure)
        return [.report(.failed(candidate: running.candidate, failure))] + giveUp()
    }

    /// How long the candidate may bring no byte: twice as long after each stall.
    func stallTimeout(of candidate: Int) -> Duration {
        let doubled = policy.stallTimeout * (1 << min(candidates[candidate].stalls, 16))
        return max(policy.stallTimeout, min(policy.stallTimeoutLimit, doubled))
    }
}
