import CurlTransfer
import NIOCore

/// Pauses its transfer at its very start, waits a while when the head is there, and lets it go on.
///
/// `@unchecked Sendable`: its state is touched on the loop's thread only.
final class PausedSink: TransferSink, Ticking, @unchecked Sendable {
    private let loop: TransferLoop
    private let onEnd: @Sendable (_ cameWhilePaused: Int64, _ all: Int64) -> Void
    private var paused: TransferID?
    private var hasHead = false
    private var ticks = 0
    private var cameWhilePaused: Int64 = 0
    private var all: Int64 = 0

    init(loop: TransferLoop, onEnd: @escaping @Sendable (_ cameWhilePaused: Int64, _ all: Int64) -> Void) {
        self.loop = loop
        self.onEnd = onEnd
    }

    func transferBegan(_ transfer: TransferID) {
        paused = transfer
        loop.pause(transfer)
        loop.add(self)
    }

    func transfer(_ transfer: TransferID, head: ResponseHead) -> Bool {
        hasHead = true
        return true
    }

    func transfer(_ transfer: TransferID, bytes: UnsafeRawBufferPointer) { all += Int64(bytes.count) }

    func transfer(_ transfer: TransferID, slab: ByteBuffer) {}

    func transferSettled(_ transfer: TransferID) {}

    /// Time enough for a server on the same machine to send everything, were it read.
    func tick(_ now: ContinuousClock.Instant) {
        guard hasHead, let paused else { return }
        ticks += 1
        guard ticks == 20 else { return }
        cameWhilePaused = all
        self.paused = nil
        loop.remove(self)
        loop.resume(paused)
    }

    func transfer(_ transfer: TransferID, endedWith error: TransferError?) {
        loop.remove(self)
        onEnd(paused == nil ? cameWhilePaused : all, all)
    }
}
