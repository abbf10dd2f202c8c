package import BackendKit
package import CurlTransfer
package import ImageModel
import OriginRead
import Synchronization

/// Probes objects: requests the first byte of an object for the head of the response, which states its size and validator.
package final class ObjectProbe: Sendable {
    private let registry: BackendRegistry
    private let loop: TransferLoop
    private let timeLimit: Mutex<Duration>

    /// - Parameter timeout: the time limit of each step: waiting for a permit, and from the permit to the response's head.
    package init(registry: BackendRegistry, loop: TransferLoop, timeout: Duration) {
        self.registry = registry
        self.loop = loop
        timeLimit = Mutex(timeout)
    }

    /// The time limit of each step: waiting for a permit, and from the permit to the response's head.
    package var timeout: Duration {
        get { timeLimit.withLock { $0 } }
        set { timeLimit.withLock { $0 = newValue } }
    }

    /// Requests the head of an object: its size and its validator as its backend states them, or the failure.
    /// - Parameter isEmpty: whether the object is known to be empty. The request then has no Range, which it could not satisfy.
    package func head(
        of path: String, in backend: BackendID, isEmpty: Bool = false
    ) async -> Result<ObjectHead, AttemptFailure> {
        guard let backend = registry[backend] else {
            return .failure(AttemptFailure(.missing, .local, detail: "its backend is not in the configuration"))
        }
        let read = ReadRequest(path: path, range: isEmpty ? nil : ByteRange(first: 0, last: 0))
        let timeout = timeout
        let request = AttemptRequest(
            driver: backend.driver, connections: backend.connections, queueKey: .probe, read: read,
            timeouts: AttemptTimeouts(
                permit: backend.connections.map { min(timeout, $0.timeout) }, worker: timeout, inactivity: timeout,
                refusal: timeout,
                // Counted from the permit on: a long wait for the permit must not count against the backend.
                head: timeout))
        return await HeadReader().read(request, on: loop)
    }
}

/// Reads the head of one response and nothing more.
///
/// `@unchecked Sendable`: its state is touched on the transfer loop's thread only, where an `OriginAttempt` makes all its
/// calls.
private final class HeadReader: AttemptSink, @unchecked Sendable {
    private var head: ObjectHead?
    private var waiter: CheckedContinuation<Result<ObjectHead, AttemptFailure>, Never>?

    func read(_ request: AttemptRequest, on loop: TransferLoop) async -> Result<ObjectHead, AttemptFailure> {
        await withCheckedContinuation { waiter in
            loop.enqueue {
                self.waiter = waiter
                OriginAttempt(request, on: loop, sink: self).start()
            }
        }
    }

    func attempt(_ attempt: OriginAttempt, head: ObjectHead) -> HeadDecision {
        self.head = head
        return .stop
    }

    func attempt(_ attempt: OriginAttempt, bytes: UnsafeRawBufferPointer) {}

    func attempt(_ attempt: OriginAttempt, endedWith failure: AttemptFailure?) {
        let noHead = AttemptFailure(.protocolViolation, .backend, detail: "the response has no head")
        waiter?.resume(returning: head.map { .success($0) } ?? .failure(failure ?? noHead))
        waiter = nil
    }
}
