package import CurlTransfer
package import NIOCore
import Synchronization
import Waiting

/// Records what a transfer delivers, and how it ended.
package final class RecordingSink: TransferSink {
    /// The outcome of a transfer.
    package struct Result: Sendable {
        package var heads: [ResponseHead] = []
        package var bytes: [UInt8] = []
        package var endings = 0
        package var error: TransferError?

        package var statuses: [Int] { heads.map(\.status) }
    }

    private let state = Mutex(Result())
    private let onBegin: @Sendable () -> Void
    private let onEnd: @Sendable (Result) -> Void

    package init(onBegin: @escaping @Sendable () -> Void = {}, onEnd: @escaping @Sendable (Result) -> Void) {
        self.onBegin = onBegin
        self.onEnd = onEnd
    }

    package func transferBegan(_ transfer: TransferID) { onBegin() }

    package func transfer(_ transfer: TransferID, head: ResponseHead) -> Bool {
        state.withLock { $0.heads.append(head) }
        return true
    }

    package func transfer(_ transfer: TransferID, bytes: UnsafeRawBufferPointer) {
        state.withLock { $0.bytes += bytes }
    }

    package func transfer(_ transfer: TransferID, slab: ByteBuffer) {
        state.withLock { $0.bytes += slab.readableBytesView }
    }

    package func transferSettled(_ transfer: TransferID) {}

    package func transfer(_ transfer: TransferID, endedWith error: TransferError?) {
        let result = state.withLock { state in
            state.endings += 1
            state.error = error
            return state
        }
        onEnd(result)
    }
}

extension TransferLoop {
    /// Runs one transfer to its end; one that does not end in time is an error of the transfer.
    /// - Parameter onBegin: called on the loop when the transfer has begun.
    package func run(
        _ request: TransferRequest, file: String = #fileID, line: Int = #line, onBegin: @escaping @Sendable () -> Void = {}
    ) async -> RecordingSink.Result {
        do {
            return try await answer("the end of the transfer", file: file, line: line) { done in
                enqueue { _ = self.start(request, sink: RecordingSink(onBegin: onBegin, onEnd: done)) }
            }
        } catch {
            var result = RecordingSink.Result()
            result.error = TransferError(.other, message: "\(error)")
            return result
        }
    }

    /// Runs a closure on the loop, after everything that was enqueued before.
    package func turn(
        file: String = #fileID, line: Int = #line, _ work: @escaping @Sendable () -> Void = {}
    ) async throws {
        let _: Bool = try await answer("the loop's turn", file: file, line: line) { done in
            enqueue {
                work()
                done(true)
            }
        }
    }
}
