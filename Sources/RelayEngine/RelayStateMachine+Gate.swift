import BackendKit

// What an attempt passes before it asks: a place among the connections of its backend, then credentials that are good.
extension RelayStateMachine {
    /// The attempt was made: whatever its location does not need is passed at once.
    mutating func approach(at now: ContinuousClock.Instant) -> [RelayAction] {
        guard let running = attempt else { return [] }
        guard plan.candidates[running.candidate].timeout != nil else { return prepare(at: now) }
        attempt?.stage = .entering
        attempt?.lastActivity = now
        return [.enter(running.id, candidate: running.candidate)]
    }

    mutating func entered(_ id: AttemptID, at now: ContinuousClock.Instant) -> [RelayAction] {
        guard let running = attempt, running.id == id, running.stage == .entering else { return [] }
        attempt?.permittedAt = now
        if hasGivenWay {
            hasGivenWay = false
            lastProgress = now  // until now another download was served
        }
        if running.isPermitWanted { return giveWay(id, at: now) }
        return prepare(at: now)
    }

    private mutating func prepare(at now: ContinuousClock.Instant) -> [RelayAction] {
        guard let running = attempt else { return [] }
        guard plan.candidates[running.candidate].renewsCredentials else { return ask(at: now) }
        return renew(beyondLast: false, at: now)
    }

    private mutating func renew(beyondLast: Bool, at now: ContinuousClock.Instant) -> [RelayAction] {
        guard let running = attempt else { return [] }
        attempt?.stage = .renewing
        attempt?.lastActivity = now
        return [.renew(running.id, candidate: running.candidate, beyondLast: beyondLast)]
    }

    mutating func renewed(_ id: AttemptID, at now: ContinuousClock.Instant) -> [RelayAction] {
        guard let running = attempt, running.id == id, running.stage == .renewing else { return [] }
        return ask(at: now)
    }

    private mutating func ask(at now: ContinuousClock.Instant) -> [RelayAction] {
        guard let running = attempt else { return [] }
        attempt?.stage = .asking
        attempt?.lastActivity = now
        return [.start(running.id, candidate: running.candidate, range: running.range)]
    }

    /// Credentials that end are nobody's fault: refused before any byte, they are renewed and the same bytes are asked for again,
    /// on the same connection's place. What is refused right after that is a failure.
    /// - Returns: nil when the failure is one.
    mutating func askAgain(after failure: AttemptFailure, of failed: Attempt, at now: ContinuousClock.Instant) -> [RelayAction]?
    {
        guard failure.asksForCredentials, failed.stage == .asking, failed.received == 0,
            plan.candidates[failed.candidate].renewsCredentials, !candidates[failed.candidate].hasRenewed
        else { return nil }
        candidates[failed.candidate].hasRenewed = true
        makeAttempt(at: failed.candidate, mayDiscard: failed.mayDiscard, now)
        attempt?.permittedAt = failed.permittedAt
        attempt?.offer = failed.offer
        return renew(beyondLast: true, at: now)
    }

    /// Time passed for an attempt that has not asked yet, or whom nobody has heard yet.
    mutating func wait(_ running: Attempt, at now: ContinuousClock.Instant) -> [RelayAction] {
        let waited = now - running.lastActivity
        switch running.stage {
        case .entering:
            // Where nobody untried is left it keeps its place in the queue: going around would be to lose it each time.
            guard let timeout = plan.candidates[running.candidate].timeout, waited >= timeout,
                isReplaceable(running.candidate)
            else { return [] }
            return [.cancel(running.id)] + fail(.busy(after: timeout), at: now)
        case .renewing:
            let timeout = stallTimeout(of: running.candidate)
            guard waited >= timeout else { return [] }
            return [.cancel(running.id)] + fail(.noCredentials(within: timeout), at: now)
        case .asking:
            // All workers of its backend are held up: so is the backend. In the queue it goes as with connections.
            let timeout = stallTimeout(of: running.candidate)
            guard waited >= timeout, isReplaceable(running.candidate) else { return [] }
            return [.cancel(running.id)] + fail(.noWorker(for: timeout), at: now)
        }
    }
}
