import BackendKit
import ImageModel
import LocationSelection

// When to leave a location that brings bytes, but slowly. The attempt is cut short at the end of a chunk, so that each chunk
// has one contributor. A location that has almost stopped is left at the next byte.
extension RelayStateMachine {
    /// Measures the running attempt, and asks for estimates of the other locations when a decision is possible.
    mutating func watchPace(at now: ContinuousClock.Instant) -> [RelayAction] {
        let running = attempt
        let isBounded = running.map { plan.candidates[$0.candidate].isBounded } ?? false
        guard let rate = slow.observe(running, isBounded: isBounded, at: now), let running else { return [] }
        let report = RelayAction.report(.pace(candidate: running.candidate, bytesPerSecond: rate))
        guard slow.mayFailOver(at: now), candidates.indices.contains(where: { isAlternative($0, to: running.candidate) }) else {
            return [report]
        }
        return [report, .estimate(running.id)]
    }

    /// The estimates of all candidates are known.
    mutating func estimated(
        _ id: AttemptID, _ estimates: [ThroughputEstimate], at now: ContinuousClock.Instant
    ) -> [RelayAction] {
        // An attempt that yields its permit is over soon.
        guard let running = attempt, running.id == id, running.isReading, !running.isYielding,
            estimates.count == candidates.count, let rate = slow.takeRate()
        else { return [] }
        let decision = policy.slow.decision(
            at: rate, remaining: plan.end - accepted, alternatives: alternatives(to: running.candidate, estimates, at: now))
        switch decision {
        case .stay:
            update(id) { $0.planFailover(nil) }
            return cut(at: running.offered)
        case .failOverNow(let candidate):
            update(id) { $0.planFailover(RelayAttempt.PlannedFailover(candidate: candidate, rate: rate)) }
            return accepted == running.end ? [] : endAttemptEarly(at: now)
        case .failOverAtBoundary(let candidate):
            guard canComeBack(to: running.candidate) else { return [] }
            let boundary = nextBoundary(for: running)
            guard boundary < plan.end else { return [] }
            update(id) { $0.planFailover(RelayAttempt.PlannedFailover(candidate: candidate, rate: rate)) }
            if boundary == running.end { return [] }
            return boundary == accepted ? endAttemptEarly(at: now) : cut(at: boundary)
        }
    }

    /// Ends an attempt that was cut short and has reached its new end.
    /// - Returns: nil when it goes on.
    mutating func endAttemptAtBoundary(at now: ContinuousClock.Instant) -> [RelayAction]? {
        guard let running = attempt, accepted == running.end, running.end < running.offered else { return nil }
        return endAttemptEarly(at: now)
    }

    /// Ends the running attempt before its range is complete. The next one begins once there is room for it.
    mutating func endAttemptEarly(at now: ContinuousClock.Instant) -> [RelayAction] {
        guard let running = attempt else { return [] }
        progress.setYielded(running.isYielding)
        enter(.awaitingRoom(candidate: successor(of: running, at: now)))
        return [.cancel(running.id)] + continueIfRoom(at: now)
    }

    /// The location to read after an attempt that brought all that was wanted of it.
    mutating func successor(of running: RelayAttempt, at now: ContinuousClock.Instant) -> Int {
        // The other location may have been taken out since.
        guard let failover = running.plannedFailover, isAlternative(failover.candidate, to: running.candidate) else {
            return running.candidate
        }
        candidates[running.candidate].leftForFaster(at: failover.rate, now)
        slow.failedOver(at: now)
        let detail = "brought \(Int64(failover.rate)) bytes a second where another is faster"
        self.failover.begin(from: running.candidate, AttemptFailure(.slow, .backend, detail: detail))
        return failover.candidate
    }

    private func alternatives(
        to candidate: Int, _ estimates: [ThroughputEstimate], at now: ContinuousClock.Instant
    ) -> [SlowLocationRule.Alternative] {
        candidates.indices.filter { isAlternative($0, to: candidate) }.map { other in
            SlowLocationRule.Alternative(
                candidate: other, estimate: candidates[other].pace?.applied(to: estimates[other], at: now) ?? estimates[other],
                isOfWorseTier: plan.candidates[other].tier > plan.candidates[candidate].tier)
        }
    }

    /// Whether another candidate has not failed this relay. After a digest mismatch no location is left for being slow, so that
    /// its contributors can be told apart.
    private func isAlternative(_ other: Int, to candidate: Int) -> Bool {
        guard other != candidate, progress.restarts == 0, !plan.candidates[other].isSuspect else { return false }
        return candidates[other].condition == .untried || candidates[other].condition == .good
    }

    /// Whether a location could continue if the faster one that it is left for fails.
    private func canComeBack(to candidate: Int) -> Bool {
        plan.end <= policy.discardLimit || candidates[candidate].answersAnyRange
    }

    /// Moves the end of the running attempt.
    mutating func cut(at end: Int64) -> [RelayAction] {
        guard let running = attempt else { return [] }
        let accepted = accepted
        return update(running.id) { $0.cut(at: end, accepted: accepted) } == true ? [.limit(running.id)] : []
    }

    /// The next offset at which the attempt may be left: the end of a chunk, of a bounded read, or of a response that is
    /// shorter than the request. No byte is fetched in vain there.
    func nextBoundary(for running: RelayAttempt) -> Int64 {
        if plan.candidates[running.candidate].isBounded { return running.end }
        var chunk = max(1, policy.slowBoundary)
        if case .chunks(let layout) = plan.verification { chunk = layout.chunkSize }
        return min(running.offered, (accepted + chunk - 1) / chunk * chunk)
    }
}
