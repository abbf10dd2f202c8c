import BackendKit
import ImageModel
import LocationSelection
import OriginRead

// The head, the bytes and the end of an attempt.
extension RelayStateMachine {
    mutating func acceptHead(_ head: ObjectHead, of id: AttemptID, at now: ContinuousClock.Instant) -> [RelayAction] {
        guard let running = attempt, running.id == id, !running.isReading else { return [] }
        if let failure = headFailure(head, of: running) { return fail(failure, at: now) }
        candidates[running.candidate].answered(head, isAnotherObject: isAnotherObject(head, at: running.candidate))
        update(id) { $0.read(head) }
        return []
    }

    /// Why the body of this head must not be read; nil if it may.
    private mutating func headFailure(_ head: ObjectHead, of running: RelayAttempt) -> AttemptFailure? {
        if let total = head.total, total != plan.size {
            return AttemptFailure(.wrongSize, .location, detail: "the object has \(total) bytes, the image \(plan.size)")
        }
        if isAnotherObject(head, at: running.candidate), !mayReadAnotherObject(at: running.candidate) {
            return AttemptFailure(.validatorChanged, .location, detail: "the object is not the one that was seen before")
        }
        // The offset check: it alone keeps byte k from being another byte.
        guard head.first == running.start else {
            guard head.first == 0, running.start > 0, head.count == nil || head.count == plan.size else {
                return AttemptFailure(
                    .wrongRange, .location, detail: "asked for byte \(running.start), was answered from byte \(head.first)")
            }
            candidates[running.candidate].ignoredRange()
            guard running.mayDiscard, running.start <= policy.discardLimit else {
                return AttemptFailure(.noRanges, .location, detail: "answered a Range with everything")
            }
            return nil
        }
        // A server may answer with less than was asked for (RFC 9110 section 15.3.7), but not with nothing.
        if let count = head.count, count <= 0, running.start < running.end {
            return AttemptFailure(
                .wrongRange, .location, detail: "announced \(count) bytes, asked for \(running.end - running.start)")
        }
        return nil
    }

    /// Whether the head describes another object than the one that the candidate is pinned to.
    private func isAnotherObject(_ head: ObjectHead, at candidate: Int) -> Bool {
        let pinned = candidates[candidate].validator ?? plan.candidates[candidate].requiredValidator
        return pinned.map { $0 != head.validator } ?? false
    }

    /// Whether the candidate may continue with another validator: always where every chunk is verified; where the whole is
    /// verified, once other locations have been tried first; never without a digest, where nothing but the validator protects
    /// the range.
    private func mayReadAnotherObject(at candidate: Int) -> Bool {
        switch plan.verification {
        case .chunks: true
        case .digest: candidates[candidate].hasChanged
        case .none: false
        }
    }

    mutating func acceptBytes(
        dropped: Int64, kept: Int64, of id: AttemptID, at now: ContinuousClock.Instant
    ) -> [RelayAction] {
        guard let keep = update(id, { $0.receive(dropped: dropped, kept: kept) }) ?? nil, let running = attempt else {
            return []
        }
        progress.waste(dropped + (kept - keep))
        if plan.size == 0, dropped + kept > 0 {
            return [.cancel(id)]
                + fail(AttemptFailure(.wrongSize, .location, detail: "the object has bytes, the image none"), at: now)
        }
        guard keep > 0 else { return [] }
        var actions = reportFailover(to: running.candidate, now)
        advance(by: keep, of: running, at: now)
        actions += releaseWhatMay(at: now)
        if accepted == plan.end {
            // The rest of a longer body is not wanted. A body that ends exactly here ends by itself, and its connection can be
            // reused.
            if !running.endsExactly { actions.append(.cancel(id)) }
            return actions + allAccepted(at: now)
        }
        if let next = endAttemptAtBoundary(at: now) { return actions + next }
        return actions + pauseIfFull()
    }

    /// Stops reading while too many bytes wait for the client or for their verification.
    mutating func pauseIfFull() -> [RelayAction] {
        guard let running = attempt, running.isReading, !running.isPaused, !running.isYielding,
            !plan.candidates[running.candidate].isBounded, progress.buffered >= window || isUnverifiedFull
        else { return [] }
        update(running.id) { $0.pause() }
        return [.pause(running.id)]
    }

    private mutating func advance(by count: Int64, of running: RelayAttempt, at now: ContinuousClock.Instant) {
        let gained = progress.accept(count, from: running.candidate, at: now)
        guard gained > 0 else { return }
        budget.advance(by: gained)
        backoff.reset()
        for index in candidates.indices { candidates[index].forgetStalls() }
        update(running.id) { $0.gain(gained) }
    }

    /// Reports a failover, if bytes are about to come from another location than before.
    private mutating func reportFailover(to candidate: Int, _ now: ContinuousClock.Instant) -> [RelayAction] {
        guard let (from, cause) = failover.complete(at: candidate) else { return [] }
        let failover = RelayReport.Failover(
            from: from, to: candidate, offset: accepted, isMidStream: accepted > plan.start, gap: now - progress.lastProgress,
            cause: cause)
        return [.report(.failover(failover))]
    }

    mutating func attemptCompleted(_ id: AttemptID, at now: ContinuousClock.Instant) -> [RelayAction] {
        guard let running = attempt, running.id == id else { return [] }
        guard running.isReading, accepted == running.end else {
            return fail(
                AttemptFailure(.shortBody, .backend, detail: "the answer ended \(running.end - accepted) bytes early"), at: now)
        }
        if accepted == plan.end { return allAccepted(at: now) }
        enter(.awaitingRoom(candidate: successor(of: running, at: now)))
        return continueIfRoom(at: now)
    }

    /// Continues at the same location once the client has left room for the next read.
    mutating func continueIfRoom(at now: ContinuousClock.Instant) -> [RelayAction] {
        guard case .awaitingRoom(let candidate) = phase else { return [] }
        let expected = plan.candidates[candidate].maximumRange ?? window / 2
        guard !isUnverifiedFull, progress.buffered == 0 || progress.buffered + expected <= window else { return [] }
        return begin(candidate, mayDiscard: candidates[candidate].resumesByDiscarding, at: now)
    }
}
