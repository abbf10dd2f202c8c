import BackendKit

// What follows when a location's status changes while the relay runs.
extension RelayStateMachine {
    /// The candidate may not serve any more. If an operator takes it out, the relay goes on reading it unless another one can
    /// serve. If its content is wrong, not one more byte of it is read.
    mutating func withdraw(_ candidate: Int, atOnce: Bool, at now: ContinuousClock.Instant) -> [RelayAction] {
        guard candidates.indices.contains(candidate), candidates[candidate].condition != .excluded else { return [] }
        let isReading = isReading(candidate)
        if isReading, !atOnce, !isReplaceable(candidate) { return [] }
        let failure = AttemptFailure(.withdrawn, .location, detail: "its status changed: it may not serve any more")
        candidates[candidate].withdraw(failure)
        guard isReading else { return [] }
        if waitsForClient { progress.excuse(until: now) }
        if let running = attempt { return [.cancel(running.id)] + fail(failure, at: now) }
        failover.begin(from: candidate, failure)
        return [.report(.failed(candidate: candidate, failure))] + beginNextAttempt(at: now)
    }

    /// Whether the next byte would come from this candidate.
    private func isReading(_ candidate: Int) -> Bool {
        switch phase {
        case .attempting(let running): running.candidate == candidate
        case .awaitingRoom(let next), .waiting(let next, _): next == candidate
        case .idle, .deciding, .verifying, .draining, .ended: false
        }
    }

    /// Whether nothing is read because the client has not taken the bytes that lie ready.
    var waitsForClient: Bool {
        switch phase {
        case .awaitingRoom: true
        case .attempting(let running): running.isPaused
        case .idle, .deciding, .waiting, .verifying, .draining, .ended: false
        }
    }

    /// Whether another candidate can continue here, as far as is known. One that failed can't.
    func isReplaceable(_ candidate: Int) -> Bool {
        candidates.indices.contains { other in
            guard other != candidate else { return false }
            return switch candidates[other].condition {
            case .untried, .good: true
            case .ignoresRanges: accepted <= policy.discardLimit
            case .failed, .excluded: false
            }
        }
    }
}
