import BackendKit
import LocationSelection

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

// What to do when a location's status changes while the relay runs.
extension RelayStateMachine {
    /// The candidate may not serve any more. One that an operator takes out goes on with what it is reading if nobody else can;
    /// one whose content is wrong does not read another byte.
    mutating func withdraw(_ candidate: Int, atOnce: Bool, at now: ContinuousClock.Instant) -> [RelayAction] {
        guard candidates.indices.contains(candidate), candidates[candidate].standing != .excluded else { return [] }
        let isReading = isReading(candidate)
        if isReading, !atOnce, !isReplaceable(candidate) { return [] }
        let failure = AttemptFailure(.withdrawn, .location, detail: "its status changed: it may not serve any more")
        candidates[candidate].standing = .excluded
        candidates[candidate].failure = failure
        guard isReading else { return [] }
        if waitsForClient { lastProgress = now }  // until now the client was the one that was not ready
        if let running = attempt { return [.cancel(running.id)] + fail(failure, at: now) }
        if move == nil { move = (candidate, failure) }
        return [.report(.failed(candidate: candidate, failure))] + moveOn(at: now)
    }

    /// Whether the next byte would come from this candidate.
    private func isReading(_ candidate: Int) -> Bool {
        switch phase {
        case .attempting: attempt?.candidate == candidate
        case .awaitingRoom(let next), .waiting(let next, _): next == candidate
        case .idle, .verifying, .draining, .ended: false
        }
    }

    /// Whether nothing is read because the client has not taken what was.
    var waitsForClient: Bool {
        if case .awaitingRoom = phase { true } else { attempt?.isPaused ?? false }
    }

    /// Whether another candidate can go on here, as far as is known: one that failed is no such thing.
    func isReplaceable(_ candidate: Int) -> Bool {
        candidates.indices.contains { other in
            guard other != candidate else { return false }
            return switch candidates[other].standing {
            case .untried, .good: true
            case .ignoresRanges: accepted <= policy.discardLimit
            case .failed, .excluded: false
            }
        }
    }
}
