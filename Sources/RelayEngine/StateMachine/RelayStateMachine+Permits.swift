import BackendKit

// When a download yields its permit, the connection to its backend, to another one that waits. It continues later from the
// same byte and at the same location. That counts neither against the location nor against the budget.
extension RelayStateMachine {
    /// The attempt has its permit.
    mutating func permitted(_ id: AttemptID, at now: ContinuousClock.Instant) -> [RelayAction] {
        if update(id, { $0.permitted(at: now) }) == true { progress.permitted(at: now) }
        return []
    }

    /// Says on what terms the permit may be asked back: once the client has taken nothing for a while, or once the permit has
    /// been held for as long.
    mutating func offerPermit(at now: ContinuousClock.Instant) -> [RelayAction] {
        guard let running = attempt, let since = running.permittedSince else { return [] }
        let offer: ConnectionOffer
        if let idleTime = progress.clientIdleTime(at: now), idleTime >= policy.permitTimeout {
            offer = .idle
        } else if now - since >= policy.permitTimeout {
            offer = .turn
        } else {
            return []
        }
        return update(running.id) { $0.offerPermit(offer) } == true ? [.offerPermit(running.id, offer)] : []
    }

    /// Another download waits for the permit. Where chunks are verified the permit is given back at the end of a chunk, so that
    /// each chunk has one contributor; elsewhere at the next byte.
    mutating func yieldPermit(_ id: AttemptID, at now: ContinuousClock.Instant) -> [RelayAction] {
        guard let running = attempt, running.id == id, running.permittedSince != nil else { return [] }
        let boundary = yieldBoundary(of: running)
        guard canResume(running, at: boundary) else { return [.insistOnPermit(id)] }
        update(id) { $0.yieldPermit() }
        if boundary == accepted {
            if waitsForClient { progress.excuse(until: now) }
            return endAttemptEarly(at: now)
        }
        return cut(at: boundary) + resumeToNewEnd(at: now)
    }

    /// Resumes a paused attempt up to its new end, although the client takes nothing.
    private mutating func resumeToNewEnd(at now: ContinuousClock.Instant) -> [RelayAction] {
        guard let running = attempt, running.isPaused else { return [] }
        update(running.id) { $0.resume() }
        progress.excuse(until: now)
        return [.resume(running.id)]
    }

    private func yieldBoundary(of running: RelayAttempt) -> Int64 {
        // Before there is a body nothing is lost.
        guard running.isReading else { return accepted }
        if plan.candidates[running.candidate].isBounded { return running.end }
        guard case .chunks = plan.verification else { return accepted }
        return min(nextBoundary(for: running), running.end)
    }

    /// Whether reading can continue from that offset later: directly, or by reading again and dropping what lies before it.
    private mutating func canResume(_ running: RelayAttempt, at boundary: Int64) -> Bool {
        if candidates[running.candidate].answersAnyRange, !running.mayDiscard { return true }
        guard boundary <= policy.discardLimit else { return false }
        candidates[running.candidate].resumeByDiscarding()
        return true
    }
}
