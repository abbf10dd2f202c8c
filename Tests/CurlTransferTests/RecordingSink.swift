import CurlTransfer
import NIOCore
import Synchronization

/// Counts what a transfer brings, and tells how it ended.
final class RecordingSink: TransferSink {
    /// What came of a transfer.
    struct Result: Sendable {
        var statuses: [Int] = []
        var bytes: [UInt8] = []
        var endings = 0
        var error: TransferError?
    }

    private let state = Mutex(Result())
    private let onEnd: @Sendable (Result) -> Void

    init(onEnd: @escaping @Sendable (Result) -> Void) { self.onEnd = onEnd }

    func transferBegan(_ transfer: TransferID) {}

    func transfer(_ transfer: TransferID, head: ResponseHead) -> Bool {
        state.withLock { $0.statuses.append(head.status) }
        return true
    }

    func transfer(_ transfer: TransferID, bytes: UnsafeRawBufferPointer) {
        state.withLock { $0.bytes += bytes }
    }

    func transfer(_ transfer: TransferID, slab: ByteBuffer) {
        state.withLock { $0.bytes += slab.readableBytesView }
    }

    func transferSettled(_ transfer: TransferID) {}

    func transfer(_ transfer: TransferID, endedWith error: TransferError?) {
        let result = state.withLock { state in
            state.endings += 1
            state.error = error
            return state
        }
        onEnd(result)
    }
}

extension TransferLoop {
    /// Runs one transfer to its end.
    func run(_ request: TransferRequest) async -> RecordingSink.Result {
        await withCheckedContinuation { continuation in
            enqueue {
                _ = self.start(request, sink: RecordingSink { continuation.resume(returning: $0) })
            }
        }
    }
}
