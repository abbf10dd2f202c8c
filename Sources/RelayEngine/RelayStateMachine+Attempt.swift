import BackendKit
import ImageModel
import LocationSelection
import OriginRead

// What an attempt brings: its head, its bytes, its end.
extension RelayStateMachine {
    mutating func requested(_ id: AttemptID, at now: ContinuousClock.Instant) -> [RelayAction] {
        guard attempt?.id == id else { return [] }
        attempt?.stage = .requested
        attempt?.stageSince = now
        return []
    }

    mutating func began(_ id: AttemptID, at now: ContinuousClock.Instant) -> [RelayAction] {
        guard attempt?.id == id else { return [] }
        attempt?.stage = .requested
        attempt?.hasBegun = true
        return []
    }

    mutating func take(_ head: ObjectHead, of id: AttemptID, at now: ContinuousClock.Instant) -> [RelayAction] {
        guard var running = attempt, running.id == id, running.bodyWindow == nil else { return [] }
        if let failure = objection(to: head, of: running) { return fail(failure, at: now) }
        if isAnotherObject(head, at: running.candidate) { candidates[running.candidate].hasChanged = true }
        candidates[running.candidate].validator = head.validator
        candidates[running.candidate].answersRanges = head.answersRanges
        if candidates[running.candidate].standing != .ignoresRanges { candidates[running.candidate].standing = .good }
        if let count = head.count { running.offered = min(running.offered, head.first + count) }
        running.end = min(running.end, running.offered)
        running.bodyWindow = BodyWindow(skip: running.start - head.first, take: running.end - running.start)
        running.endsExactly = head.count.map { head.first + $0 == running.end } ?? false
        attempt = running
        return []
    }

    /// Why this head must not be followed by its body; nil when all is well.
    private mutating func objection(to head: ObjectHead, of running: Attempt) -> AttemptFailure? {
        if let total = head.total, total != plan.size {
            return AttemptFailure(.wrongSize, .location, detail: "the object has \(total) bytes, the image \(plan.size)")
        }
        if isAnotherObject(head, at: running.candidate), !mayReadAnotherObject(at: running.candidate) {
            return AttemptFailure(.validatorChanged, .location, detail: "the object is not the one that was seen before")
        }
        // The offset check: the one thing that keeps byte k from being another byte.
        guard head.first == running.start else {
            guard head.first == 0, running.start > 0, head.count == nil || head.count == plan.size else {
                return AttemptFailure(
                    .wrongRange, .location, detail: "asked for byte \(running.start), was answered from byte \(head.first)")
            }
            candidates[running.candidate].standing = .ignoresRanges
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

    /// Whether the head names another object than the one that the candidate is pinned to.
    private func isAnotherObject(_ head: ObjectHead, at candidate: Int) -> Bool {
        let pinned = candidates[candidate].validator ?? plan.candidates[candidate].requiredValidator
        return pinned.map { $0 != head.validator } ?? false
    }

    /// Whether the candidate may go on with another validator. Where every chunk is verified, always. Where the whole is, once it had
    /// to stand back for those that raise no question. A range without a manifest has nothing but its validator.
    private func mayReadAnotherObject(at candidate: Int) -> Bool {
        switch plan.verification {
        case .chunks: true
        case .digest: candidates[candidate].hasChanged
        case .none: false
        }
    }

    mutating func take(
        dropped: Int64, kept: Int64, of id: AttemptID, at now: ContinuousClock.Instant
    ) -> [RelayAction] {
        guard var running = attempt, running.id == id, let bodyWindow = running.bodyWindow else { return [] }
        let drop = min(dropped, bodyWindow.skip)
        let keep = min(kept, bodyWindow.take)
        running.bodyWindow = BodyWindow(skip: bodyWindow.skip - drop, take: bodyWindow.take - keep)
        running.received += drop + keep
        attempt = running
        extraBytes += dropped + (kept - keep)
        if plan.size == 0, dropped + kept > 0 {
            return [.cancel(id)]
                + fail(AttemptFailure(.wrongSize, .location, detail: "the object has bytes, the image none"), at: now)
        }
        guard keep > 0 else { return [] }
        hasGivenWay = false
        var actions = arrived(at: running.candidate, now)
        advance(by: keep, from: running.candidate, at: now)
        actions += releaseWhatMay(at: now)
        if accepted == plan.end {
            // The rest of a longer body is of no interest; an exact one ends by itself and leaves its connection for reuse.
            if !running.endsExactly { actions.append(.cancel(id)) }
            attempt = nil
            return actions + allTaken(at: now)
        }
        if let departure = departAtEdge(at: now) { return actions + departure }
        return actions + pauseIfFull()
    }

    /// Stops reading while too much waits: for the client, or for what it takes to verify it.
    mutating func pauseIfFull() -> [RelayAction] {
        guard let running = attempt, running.bodyWindow != nil, !running.isPaused, !running.givesWay,
            plan.candidates[running.candidate].maximumRange == nil, buffered >= window || isUnverifiedFull
        else { return [] }
        attempt?.isPaused = true
        attempt?.wasPaused = true
        return [.pause(running.id)]
    }

    /// Bytes that may leave and that the client has not taken yet.
    var buffered: Int64 { released - plan.delivery.lowerBound - consumed }

    private mutating func advance(by count: Int64, from candidate: Int, at now: ContinuousClock.Instant) {
        if let last = segments.indices.last, segments[last].candidate == candidate {
            segments[last].end += count
        } else {
            segments.append(Segment(candidate: candidate, first: accepted, end: accepted + count))
        }
        extraBytes += count - plan.delivered(from: accepted, to: accepted + count)
        accepted += count
        guard accepted > reached else { return }
        budget.advance(by: accepted - reached)
        backoff.reset()
        for index in candidates.indices { candidates[index].stalls = 0 }
        attempt?.gained += accepted - reached
        reached = accepted
        lastProgress = now
    }

    /// The first byte after a move makes it a failover.
    private mutating func arrived(at candidate: Int, _ now: ContinuousClock.Instant) -> [RelayAction] {
        guard let (from, cause) = move else { return [] }
        move = nil
        guard from != candidate else { return [] }
        failovers += 1
        let failover = Failover(
            from: from, to: candidate, offset: accepted, isMidStream: accepted > plan.start, gap: now - lastProgress,
            cause: cause)
        return [.report(.failover(failover))]
    }

    mutating func complete(_ id: AttemptID, at now: ContinuousClock.Instant) -> [RelayAction] {
        guard let running = attempt, running.id == id else { return [] }
        guard running.bodyWindow != nil, accepted == running.end else {
            return fail(
                AttemptFailure(.shortBody, .backend, detail: "the answer ended \(running.end - accepted) bytes early"), at: now)
        }
        attempt = nil
        if accepted == plan.end { return allTaken(at: now) }
        phase = .awaitingRoom(candidate: successor(of: running, at: now))
        return continueIfRoom(at: now)
    }

    /// Reads on at the same location once the client has left room for it.
    mutating func continueIfRoom(at now: ContinuousClock.Instant) -> [RelayAction] {
        guard case .awaitingRoom(let candidate) = phase else { return [] }
        let expected = plan.candidates[candidate].maximumRange ?? window / 2
        guard !isUnverifiedFull, buffered == 0 || buffered + expected <= window else { return [] }
        return begin(candidate, mayDiscard: candidates[candidate].resumesByDiscarding, at: now)
    }

    /// Begins an attempt at the next bytes.
    mutating func begin(_ candidate: Int, mayDiscard: Bool = false, at now: ContinuousClock.Instant) -> [RelayAction] {
        let rest = ByteRange(first: accepted, last: plan.end - 1)
        let range = plan.candidates[candidate].maximumRange.flatMap { rest?.prefix($0) } ?? rest
        let end = range.map { $0.last + 1 } ?? plan.end
        let id = AttemptID(number: nextAttempt)
        nextAttempt += 1
        phase = .attempting
        attempt = Attempt(
            id: id, candidate: candidate, start: accepted, offered: end, end: end, range: range, mayDiscard: mayDiscard,
            stage: plan.candidates[candidate].timeout == nil ? .awaitingCredentials : .awaitingPermit, stageSince: now)
        return [.start(id, candidate: candidate, range: range)]
    }
}
