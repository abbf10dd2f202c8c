import BackendKit
import ImageModel
import LocationSelection
import OriginRead

// When to leave a location that brings bytes, but slowly. The attempt is cut short at the next edge of a chunk, so that each chunk
// has one contributor; one that all but stands still is left at the next byte.
extension RelayStateMachine {
    /// Where the relay goes when the attempt is over.
    struct Departure: Sendable, Equatable {
        let candidate: Int
        /// Bytes a second of what is left.
        let rate: Double
    }

    /// Follows the pace of what runs; asks what others could do when there is a judgement to make.
    mutating func watchPace(at now: ContinuousClock.Instant) -> [RelayAction] {
        let running = phase == .attempting ? attempt : nil
        let comesWhole = running.map { isBounded($0.candidate) } ?? false
        guard let rate = slow.observe(running, comesWhole: comesWhole, at: now), let running else { return [] }
        let report = RelayAction.report(.pace(candidate: running.candidate, bytesPerSecond: rate))
        guard slow.mayMove(at: now), candidates.indices.contains(where: { isAlternative($0, to: running.candidate) }) else {
            return [report]
        }
        return [report, .estimate(running.id)]
    }

    /// What can be expected of each candidate was asked for, and is known.
    mutating func estimated(
        _ id: AttemptID, _ estimates: [ThroughputEstimate], at now: ContinuousClock.Instant
    ) -> [RelayAction] {
        // One that gives its permit to another download is over soon.
        guard let running = attempt, running.id == id, running.bodyWindow != nil, !running.givesWay,
            estimates.count == candidates.count,
            let rate = slow.takeRate()
        else { return [] }
        let decision = policy.slow.decision(
            at: rate, remaining: plan.end - accepted, alternatives: alternatives(to: running.candidate, estimates, at: now))
        switch decision {
        case .stay:
            attempt?.departure = nil
            return cut(running, at: running.offered)
        case .moveNow(let candidate):
            attempt?.departure = Departure(candidate: candidate, rate: rate)
            return accepted == running.end ? [] : depart(at: now)
        case .moveAtEdge(let candidate):
            guard canComeBack(to: running.candidate) else { return [] }
            let edge = nextEdge(for: running)
            guard edge < plan.end else { return [] }
            attempt?.departure = Departure(candidate: candidate, rate: rate)
            if edge == running.end { return [] }
            return edge == accepted ? depart(at: now) : cut(running, at: edge)
        }
    }

    /// The attempt was cut short and has reached its new end.
    /// - Returns: nil when it goes on.
    mutating func departAtEdge(at now: ContinuousClock.Instant) -> [RelayAction]? {
        guard let running = attempt, accepted == running.end, running.end < running.offered else { return nil }
        return depart(at: now)
    }

    mutating func depart(at now: ContinuousClock.Instant) -> [RelayAction] {
        guard let running = attempt else { return [] }
        attempt = nil
        hasGivenWay = running.givesWay
        phase = .awaitingRoom(candidate: successor(of: running, at: now))
        return [.cancel(running.id)] + continueIfRoom(at: now)
    }

    /// Who reads on after an attempt that brought all that it was asked for.
    mutating func successor(of running: Attempt, at now: ContinuousClock.Instant) -> Int {
        // It may have been taken out since.
        guard let departure = running.departure, isAlternative(departure.candidate, to: running.candidate) else {
            return running.candidate
        }
        candidates[running.candidate].pace = MeasuredThroughput(rate: departure.rate, at: now)
        slow.moved(at: now)
        let detail = "brought \(Int64(departure.rate)) bytes a second where another is faster"
        if move == nil { move = (running.candidate, AttemptFailure(.slow, .backend, detail: detail)) }
        return departure.candidate
    }

    /// Where to go on although untried locations are left: the one that was left for a faster one, when that has brought nothing.
    var soundOrigin: Int? {
        guard let move, move.cause.reason == .slow, candidates[move.from].standing == .good else { return nil }
        return move.from
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

    /// Whether another candidate has not failed this relay. After a whole that did not match nobody is left for being slow: its
    /// contributors are to be told apart.
    private func isAlternative(_ other: Int, to candidate: Int) -> Bool {
        guard other != candidate, mismatches == 0, !plan.candidates[other].isSuspect else { return false }
        return candidates[other].standing == .untried || candidates[other].standing == .good
    }

    /// Whether a location could go on if the faster one that it is left for fails. One that crawls is left all the same.
    private func canComeBack(to candidate: Int) -> Bool {
        let state = candidates[candidate]
        return plan.end <= policy.discardLimit || state.answersRanges && state.standing != .ignoresRanges
    }

    mutating func cut(_ running: Attempt, at end: Int64) -> [RelayAction] {
        guard end != running.end, let bodyWindow = running.bodyWindow else { return [] }
        attempt?.end = end
        attempt?.bodyWindow = BodyWindow(skip: bodyWindow.skip, take: end - accepted)
        return [.limit(running.id)]
    }

    /// The end of a bounded read is as good as an edge, and so is that of an answer shorter than asked: nothing is fetched in vain.
    func nextEdge(for running: Attempt) -> Int64 {
        if isBounded(running.candidate) { return running.end }
        var chunk = max(1, policy.slowEdge)
        if case .chunks(let layout) = plan.verification { chunk = layout.chunkSize }
        return min(running.offered, (accepted + chunk - 1) / chunk * chunk)
    }

    func isBounded(_ candidate: Int) -> Bool { plan.candidates[candidate].maximumRange != nil }
}
