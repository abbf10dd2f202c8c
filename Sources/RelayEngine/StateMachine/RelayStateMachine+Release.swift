import BackendKit
import ImageModel

// Which bytes may leave, and when they are verified.
extension RelayStateMachine {
    /// The offset below which bytes may leave: all taken ones, the verified ones, or all but the tail while the whole is
    /// unverified.
    private var releaseLimit: Int64 {
        switch plan.verification {
        case .none: accepted
        case .digest: phase == .draining ? accepted : min(accepted, max(plan.start, plan.end - policy.tail))
        case .chunks: min(progress.verifiedEnd, plan.delivery.upperBound)
        }
    }

    mutating func releaseWhatMay(at now: ContinuousClock.Instant) -> [RelayAction] {
        let limit = releaseLimit
        guard progress.release(upTo: limit, at: now) else { return [] }
        return commit() + [.release(upTo: limit)]
    }

    private mutating func commit() -> [RelayAction] { progress.commit() ? [.commit] : [] }

    /// All bytes were taken: verifies the whole, or lets a range go.
    mutating func allAccepted(at now: ContinuousClock.Instant) -> [RelayAction] {
        switch plan.verification {
        case .digest where plan.size > 0:
            enter(.verifying)
            return [.compareWholeDigest]
        case .chunks where progress.verifiedEnd < plan.end:
            enter(.verifying)
            return []
        case .chunks: return allVerified(at: now)
        case .digest, .none: return drain(at: now)
        }
    }

    /// All bytes are verified.
    mutating func allVerified(at now: ContinuousClock.Instant) -> [RelayAction] {
        [.report(.allVerified(contributors: contributors))] + drain(at: now)
    }

    private mutating func drain(at now: ContinuousClock.Instant) -> [RelayAction] {
        enter(.draining)
        let actions = releaseWhatMay(at: now) + commit()
        return progress.buffered == 0 ? actions + end(.finished) : actions
    }

    /// The whole did not match. If nothing has left it is fetched again; else the response is cut short.
    mutating func digestMismatch(at now: ContinuousClock.Instant) -> [RelayAction] {
        let suspects = contributors
        let report = RelayAction.report(.digestMismatch(contributors: suspects))
        guard !isCommitted else { return [report] + end(.digestMismatch) }
        let failure = AttemptFailure(.wrongDigest, .location, detail: "the bytes do not have the image's digest")
        for suspect in suspects {
            // A location that contributed everything is wrong. Of several any may be right: they are read again, one alone if
            // it holds.
            candidates[suspect].mismatched(failure, isCertain: suspects.count == 1, at: now)
        }
        if let first = suspects.first { failover.begin(from: first, failure) }
        progress.restart()
        guard progress.restarts <= 2 * candidates.count else { return [report, .restart] + giveUp() }
        return [report, .restart] + beginNextAttempt(at: now)
    }

    private var contributors: [Int] { progress.contributors(to: plan.start..<plan.end) }

    /// The client took bytes: reads on, or finishes.
    mutating func consume(_ count: Int64, at now: ContinuousClock.Instant) -> [RelayAction] {
        guard progress.consume(count, at: now) else { return [] }
        switch phase {
        case .draining:
            return progress.buffered == 0 ? end(.finished) : []
        case .awaitingRoom:
            progress.excuse(until: now)  // until now the client was not ready
            return continueIfRoom(at: now)
        case .attempting:
            return resumeIfRoom(at: now)
        case .idle, .deciding, .waiting, .verifying, .ended:
            return []
        }
    }

    /// Resumes a paused attempt once there is room again.
    mutating func resumeIfRoom(at now: ContinuousClock.Instant) -> [RelayAction] {
        guard let running = attempt, running.isPaused, progress.buffered <= window / 2, !isUnverifiedFull else { return [] }
        update(running.id) { $0.resume() }
        progress.excuse(until: now)
        return [.resume(running.id)]
    }
}
