import BackendKit
package import CurlTransfer
package import NIOCore
import OriginRead

// What the transfer of the running attempt brings.
extension Relay: TransferSink, Ticking {
    /// Time passed.
    package func tick(_ now: ContinuousClock.Instant) {
        if let refusal = running?.refusal, now - refusal.began >= Self.refusalTimeout { endRefusal() }
        handle(.tick)
        tellBytes()
        followMemory()
    }

    /// How long a download waits for the words of a server that refuses: another location may have the bytes.
    private static let refusalTimeout: Duration = .milliseconds(250)

    /// The transfer got its slot.
    package func transferBegan(_ transfer: TransferID) {
        guard let current = running, current.transfer == transfer else { return }
        running?.meter?.began(at: loop.now)
        handle(.began(current.attempt))
    }

    /// Asks the driver, then the state machine, what to make of the head.
    package func transfer(_ transfer: TransferID, head: ResponseHead) -> Bool {
        guard let current = running, current.transfer == transfer, let read = current.read else { return false }
        // Inside libcurl: the actions wait until it has returned.
        switch current.driver.inspect(head, of: read) {
        case .failure(let failure):
            if let refusal = current.driver.refusal(failure, head, at: loop.now) {
                running?.refusal = refusal
                return true
            }
            pending += machine.handle(.failed(current.attempt, failure), at: loop.now)
            return false
        case .success(let object):
            pending += machine.handle(.head(current.attempt, object), at: loop.now)
            guard let bodyWindow = machine.bodyWindow(of: current.attempt) else { return false }
            running?.bodyWindow = bodyWindow
            return true
        }
    }

    /// Keeps what is wanted of the bytes, and takes it into the digest while it is hot.
    package func transfer(_ transfer: TransferID, bytes: UnsafeRawBufferPointer) {
        guard running?.transfer == transfer else { return }
        if running?.refusal != nil {
            running?.refusal?.take(bytes)
            return
        }
        guard let (drop, keep) = running?.bodyWindow?.split(bytes.count) else { return }
        running?.dropped += Int64(bytes.count - keep)
        running?.kept += Int64(keep)
        guard keep > 0 else { return }
        let wanted = UnsafeRawBufferPointer(rebasing: bytes[drop..<(drop + keep)])
        verification.update(wanted)
        buffer.append(wanted, from: &loop.slabs)
    }

    /// Keeps a slab of a file.
    package func transfer(_ transfer: TransferID, slab: ByteBuffer) {
        guard running?.transfer == transfer, let (drop, keep) = running?.bodyWindow?.split(slab.readableBytes) else { return }
        running?.dropped += Int64(slab.readableBytes - keep)
        running?.kept += Int64(keep)
        guard keep > 0 else { return }
        // A whole one can be used again.
        let isWhole = keep == slab.readableBytes
        guard let wanted = isWhole ? slab : slab.getSlice(at: slab.readerIndex + drop, length: keep) else { return }
        wanted.withUnsafeReadableBytes { verification.update($0) }
        buffer.append(wanted)
    }

    /// Lets the state machine know of the batch.
    package func transferSettled(_ transfer: TransferID) {
        if running?.transfer == transfer { settleBytes() }
        if let refusal = running?.refusal, running?.transfer == transfer, refusal.isFull { return endRefusal() }
        performPending()
    }

    /// Lets the state machine know of what came. It must not decide anything before: a transfer that is let go on may bring bytes
    /// within that call, which are in the buffer then, and others may have their say before the batch is over.
    func settleBytes() {
        guard let current = running, current.dropped + current.kept > 0 else { return }
        running?.dropped = 0
        running?.kept = 0
        running?.meter?.took(current.dropped + current.kept, at: loop.now)
        count(current.kept)
        pending += machine.handle(.bytes(current.attempt, dropped: current.dropped, kept: current.kept), at: loop.now)
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

    /// The server has said enough of why there are no bytes, or takes too long.
    private func endRefusal() {
        guard let current = running, let transfer = current.transfer, let refusal = current.refusal else { return }
        loop.cancel(transfer)
        endTransfer()
        handle(.failed(current.attempt, current.driver.explain(refusal)))
        leave(current.attempt)
    }

    /// The attempt runs until the state machine has said what follows: one that asks again takes over its place.
    private func endTransfer() {
        endMeter()
        running?.transfer = nil
    }

    /// Lets the state machine know of the end.
    package func transfer(_ transfer: TransferID, endedWith error: TransferError?) {
        guard let current = running, current.transfer == transfer else { return performPending() }
        endTransfer()
        if let refusal = current.refusal {
            handle(.failed(current.attempt, current.driver.explain(refusal)))
        } else if let error {
            handle(.failed(current.attempt, current.driver.classify(error)))
        } else {
            handle(.completed(current.attempt))
        }
        leave(current.attempt)
    }
}
