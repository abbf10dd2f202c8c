public import BackendKit
public import CurlTransfer
public import ImageModel

/// Asks what lies at a place, with a read of its first byte.
public struct ObjectInquiry: Sendable {
    private let registry: BackendRegistry
    private let loop: TransferLoop
    private let timeout: Duration

    /// - Parameter timeout: how long to wait for an answer's head.
    public init(registry: BackendRegistry, loop: TransferLoop, timeout: Duration) {
        self.registry = registry
        self.loop = loop
        self.timeout = timeout
    }

    /// What an object's backend says of it: its size and what pins it; or why that can't be told.
    /// - Parameter isEmpty: whether it is known to have no byte that could be asked for.
    public func head(
        of path: String, in backend: BackendID, isEmpty: Bool = false
    ) async -> Result<ObjectHead, AttemptFailure> {
        guard let driver = registry[backend]?.driver else {
            return .failure(AttemptFailure(.missing, .local, detail: "its backend is not in the configuration"))
        }
        let read = ReadRequest(path: path, range: isEmpty ? nil : ByteRange(first: 0, last: 0))
        let question = ObjectQuestion(driver: driver, read: read, deadline: .now + timeout, loop: loop)
        return await withCheckedContinuation { continuation in
            loop.enqueue { question.ask(continuation) }
        }
    }
}

/// `@unchecked Sendable`: its state is touched on the transfer loop's thread only.
private final class ObjectQuestion: TransferSink, Ticking, @unchecked Sendable {
    private let driver: any Driver
    private let read: ReadRequest
    private let deadline: ContinuousClock.Instant
    private let loop: TransferLoop
    private var transfer: TransferID?
    private var answer: Result<ObjectHead, AttemptFailure>?
    private var waiter: CheckedContinuation<Result<ObjectHead, AttemptFailure>, Never>?

    init(driver: any Driver, read: ReadRequest, deadline: ContinuousClock.Instant, loop: TransferLoop) {
        self.driver = driver
        self.read = read
        self.deadline = deadline
        self.loop = loop
    }

    func ask(_ continuation: CheckedContinuation<Result<ObjectHead, AttemptFailure>, Never>) {
        waiter = continuation
        loop.add(self)
        transfer = loop.start(driver.transferRequest(for: read), sink: self)
    }

    private func finish(_ result: Result<ObjectHead, AttemptFailure>) {
        if let transfer { loop.cancel(transfer) }
        loop.remove(self)
        waiter?.resume(returning: result)
        waiter = nil
    }

    func transferBegan(_ transfer: TransferID) {}

    func transfer(_ transfer: TransferID, head: ResponseHead) -> Bool {
        answer = driver.inspect(head, of: read)
        return false
    }

    func transfer(_ transfer: TransferID, bytes: UnsafeRawBufferPointer) {}

    func transfer(_ transfer: TransferID, slab: Slab) {}

    func transferSettled(_ transfer: TransferID) {}

    func transfer(_ transfer: TransferID, endedWith error: TransferError?) {
        let none = TransferError(.connectionLost, message: "the connection ended before an answer")
        finish(answer ?? .failure(driver.classify(error ?? none)))
    }

    func tick(_ now: ContinuousClock.Instant) {
        if now >= deadline { finish(.failure(AttemptFailure(.stall, .backend, detail: "no answer in time"))) }
    }
}
