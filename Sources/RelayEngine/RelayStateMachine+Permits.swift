import BackendKit

// When a download gives its backend connection (its permit) to another one that waits. Reading goes on later, from the same byte and
// at the same location; nothing is counted against the location, and nothing against the budget.
extension RelayStateMachine {
    /// The attempt has its permit.
    mutating func permitted(_ id: AttemptID, at now: ContinuousClock.Instant) -> [RelayAction] {
        guard let running = attempt, running.id == id, running.stage == .awaitingPermit else { return [] }
        attempt?.stage = .awaitingCredentials
        attempt?.stageSince = now
        attempt?.permittedAt = now
        if hasGivenWay {
            hasGivenWay = false
            lastProgress = now  // until now another download was served
        }
        return []
    }

    /// Says on what terms the permit may be asked back: once the client has taken nothing for a while, or once the permit has been
    /// held for as long.
    mutating func offerPermit(at now: ContinuousClock.Instant) -> [RelayAction] {
        guard let running = attempt, let since = running.permittedAt, !running.givesWay else { return [] }
        let offer: ConnectionOffer
        if buffered > 0, now - lastConsumed >= policy.permitTimeout {
            offer = .idle
        } else if now - since >= policy.permitTimeout {
            offer = .turn
        } else {
            return []
        }
        guard offer != running.offer else { return [] }
        attempt?.offer = offer
        return [.offerPermit(running.id, offer)]
    }

    /// Another download waits for the permit. It is given back at the next edge of a chunk where chunks are verified, so that each has
    /// one contributor; else at the next byte.
    mutating func giveWay(_ id: AttemptID, at now: ContinuousClock.Instant) -> [RelayAction] {
        guard let running = attempt, running.id == id, running.permittedAt != nil, !running.givesWay else { return [] }
        let edge = yieldingEdge(of: running)
        guard canResume(running, at: edge) else { return [.insistOnPermit(id)] }
        attempt?.givesWay = true
        if edge == accepted { return yield(at: now) }
        return cut(running, at: edge) + readOn(at: now)
    }

    /// The attempt is left where it is, and another one is made once the client has taken enough.
    private mutating func yield(at now: ContinuousClock.Instant) -> [RelayAction] {
        if waitsForClient { lastProgress = now }
        return depart(at: now)
    }

    /// What is paused reads on to the edge, although the client takes nothing.
    private mutating func readOn(at now: ContinuousClock.Instant) -> [RelayAction] {
        guard let running = attempt, running.isPaused else { return [] }
        attempt?.isPaused = false
        lastProgress = now
        return [.resume(running.id)]
    }

    private func yieldingEdge(of running: Attempt) -> Int64 {
        // Before there is a body nothing is lost.
        guard running.bodyWindow != nil else { return accepted }
        if isBounded(running.candidate) { return running.end }
        guard case .chunks = plan.verification else { return accepted }
        return min(nextEdge(for: running), running.end)
    }

    /// Whether reading can go on from there another time: from any byte, or by reading again what lies before it.
    private mutating func canResume(_ running: Attempt, at edge: Int64) -> Bool {
        let state = candidates[running.candidate]
        if state.standing == .ignoresRanges || !state.answersRanges || running.mayDiscard {
            guard edge <= policy.discardLimit else { return false }
            candidates[running.candidate].resumesByDiscarding = true
        }
        return true
    }
}
