package import BackendKit
import CurlTransfer
package import NIOCore
package import OriginRead

// The events of the running attempt.
extension Relay: AttemptSink, Ticking {
    /// Sends the state machine a tick, reports the counted bytes to the observer, and adjusts the window to the memory.
    package func tick(_ now: ContinuousClock.Instant) {
        handle(.tick)
        reportBytes()
        followMemory()
    }

    /// The running attempt, if it is this one.
    private func current(_ attempt: OriginAttempt) -> Running? {
        running?.attempt === attempt ? running : nil
    }

    /// Tells the state machine that the attempt has its permit.
    package func attemptPermitted(_ attempt: OriginAttempt) {
        if let current = current(attempt) { handle(.permitted(current.id)) }
    }

    /// Starts to measure the attempt, and tells the state machine that its request was made.
    package func attemptRequested(_ attempt: OriginAttempt) {
        guard let current = current(attempt) else { return }
        beginMeter()
        handle(.requested(current.id))
    }

    /// Restarts the measurement of the attempt: waiting for a connection or a worker says nothing about the backend.
    package func attemptBegan(_ attempt: OriginAttempt) {
        guard let current = current(attempt) else { return }
        running?.meter?.began(at: loop.now)
        handle(.began(current.id))
    }

    /// Asks the state machine whether to read the body that the head announces.
    package func attempt(_ attempt: OriginAttempt, head: ObjectHead) -> HeadDecision {
        guard let current = current(attempt) else { return .stop }
        // Inside libcurl: the actions wait until it has returned.
        pending += machine.handle(.head(current.id, head), at: loop.now)
        // If it does not want the body, it has failed the attempt already.
        return machine.bodyWindow(of: current.id).map { .read($0) } ?? .stop
    }

    /// Keeps bytes of the body, and digests them while they are in the processor's cache.
    package func attempt(_ attempt: OriginAttempt, bytes: UnsafeRawBufferPointer) {
        guard current(attempt) != nil else { return }
        verification.update(bytes)
        buffer.append(bytes, from: &loop.slabs)
    }

    /// Keeps a slab of the body, and digests it.
    package func attempt(_ attempt: OriginAttempt, slab: ByteBuffer) {
        guard current(attempt) != nil else { return }
        slab.withUnsafeReadableBytes { verification.update($0) }
        buffer.append(slab)
    }

    /// Tells the state machine which bytes of the body came in the batch that is over.
    package func attemptSettled(_ attempt: OriginAttempt) {
        if current(attempt) != nil { settleBytes() }
        performPending()
    }

    /// Tells the state machine that another download waits for the attempt's permit.
    package func attemptPermitWanted(_ attempt: OriginAttempt) {
        if let current = current(attempt) { handle(.permitWanted(current.id)) }
    }

    /// Whether the attempt waits on for its permit or worker: yes if no other location can serve, because it would lose its
    /// turn in the queue by trying again.
    package func attemptMayWaitOn(_ attempt: OriginAttempt) -> Bool {
        current(attempt).map { !machine.isReplaceable($0.candidate) } ?? false
    }

    /// Tells the state machine that the attempt has completed or failed.
    package func attempt(_ attempt: OriginAttempt, endedWith failure: AttemptFailure?) {
        guard let current = current(attempt) else { return performPending() }
        endMeter()
        handle(failure.map { .failed(current.id, $0) } ?? .completed(current.id))
        if running?.id == current.id { cancelRunning() }
    }

    /// Tells the state machine how many bytes of the body came. Every other event comes after them: a transfer that resumes may
    /// bring bytes within that call, and other events may come before the batch is over.
    func settleBytes() {
        guard let current = running else { return }
        let (dropped, kept) = current.attempt.takeCounts()
        guard dropped + kept > 0 else { return }
        running?.meter?.took(dropped + kept, at: loop.now)
        count(kept)
        pending += machine.handle(.bytes(current.id, dropped: dropped, kept: kept), at: loop.now)
        // Progress resets the timeout of a location that stalled.
        current.attempt.timeouts.inactivity = machine.stallTimeout(of: current.candidate)
        settleVerification()
    }

    /// Tells the state machine which chunks are verified, or that one is not.
    private func settleVerification() {
        for event in verification.newEvents() { pending += machine.handle(event, at: loop.now) }
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
