package import BackendKit
import CurlTransfer
package import NIOCore
package import OriginRead

// What the running attempt brings.
extension Relay: AttemptSink, Ticking {
    /// Time passed.
    package func tick(_ now: ContinuousClock.Instant) {
        handle(.tick)
        tellBytes()
        followMemory()
    }

    /// Nil for an attempt that is not the running one.
    private func current(_ attempt: OriginAttempt) -> Running? {
        running?.attempt === attempt ? running : nil
    }

    /// Lets the state machine know.
    package func attemptPermitted(_ attempt: OriginAttempt) {
        if let current = current(attempt) { handle(.permitted(current.id)) }
    }

    /// Takes the time from here on.
    package func attemptRequested(_ attempt: OriginAttempt) {
        guard let current = current(attempt) else { return }
        beginMeter()
        handle(.requested(current.id))
    }

    /// Waiting for a connection or a worker was not the backend's time.
    package func attemptBegan(_ attempt: OriginAttempt) {
        guard let current = current(attempt) else { return }
        running?.meter?.began(at: loop.now)
        handle(.began(current.id))
    }

    /// Asks the state machine what to make of the head.
    package func attempt(_ attempt: OriginAttempt, head: ObjectHead) -> HeadDecision {
        guard let current = current(attempt) else { return .stop }
        // Inside libcurl: the actions wait until it has returned.
        pending += machine.handle(.head(current.id, head), at: loop.now)
        // Where it does not want the body it has failed the attempt already.
        return machine.bodyWindow(of: current.id).map { .read($0) } ?? .stop
    }

    /// Keeps the bytes, and takes them into the digest while they are hot.
    package func attempt(_ attempt: OriginAttempt, bytes: UnsafeRawBufferPointer) {
        guard current(attempt) != nil else { return }
        verification.update(bytes)
        buffer.append(bytes, from: &loop.slabs)
    }

    /// Keeps a slab of a file.
    package func attempt(_ attempt: OriginAttempt, slab: ByteBuffer) {
        guard current(attempt) != nil else { return }
        slab.withUnsafeReadableBytes { verification.update($0) }
        buffer.append(slab)
    }

    /// Lets the state machine know of the batch.
    package func attemptSettled(_ attempt: OriginAttempt) {
        if current(attempt) != nil { settleBytes() }
        performPending()
    }

    /// Another download waits for the permit.
    package func attemptPermitWanted(_ attempt: OriginAttempt) {
        if let current = current(attempt) { handle(.permitWanted(current.id)) }
    }

    /// Where no location is left that was not tried, the attempt keeps its place in the queue: to go around would be to lose it each
    /// time.
    package func attemptMayWaitOn(_ attempt: OriginAttempt) -> Bool {
        current(attempt).map { !machine.isReplaceable($0.candidate) } ?? false
    }

    /// Lets the state machine know of the end.
    package func attempt(_ attempt: OriginAttempt, endedWith failure: AttemptFailure?) {
        guard let current = current(attempt) else { return performPending() }
        endMeter()
        handle(failure.map { .failed(current.id, $0) } ?? .completed(current.id))
        if running?.id == current.id { cancelRunning() }
    }

    /// Lets the state machine know of what came. It must not decide anything before: a transfer that is let go on may bring bytes
    /// within that call, which are in the buffer then, and others may have their say before the batch is over.
    func settleBytes() {
        guard let current = running else { return }
        let (dropped, kept) = current.attempt.takeCounts()
        guard dropped + kept > 0 else { return }
        running?.meter?.took(dropped + kept, at: loop.now)
        count(kept)
        pending += machine.handle(.bytes(current.id, dropped: dropped, kept: kept), at: loop.now)
        // What gets on has its ordinary timeout again.
        current.attempt.timeouts.inactivity = machine.stallTimeout(of: current.candidate)
        settleVerification()
    }

    /// Lets the state machine know which chunks are verified, or that one is not.
    private func settleVerification() {
        for event in verification.news() { pending += machine.handle(event, at: loop.now) }
        loadPages()
    }

    func loadPages() {
        for page in verification.wantedPages() {
            verification.load(page) { [weak self, loop] digests in
                loop.enqueue { [weak self] in self?.loaded(page, digests) }
            }
        }
    }

    private func loaded(_ page: Int, _ digests: [UInt8]?) {
        guard let digests else { return handle(.manifestUnreadable) }
        settleBytes()
        verification.supply(digests, ofPage: page)
        settleVerification()
        performPending()
    }
}
