import BackendKit

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
