import BackendKit
import LocationSelection

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
