public import CurlTransfer

/// The way to Keystone over a transfer loop.
public struct LoopTransport: KeystoneTransport {
    private let loop: TransferLoop
    private let timeout: Duration

    /// - Parameter timeout: how long one exchange may take.
    public init(loop: TransferLoop, timeout: Duration) {
        self.loop = loop
        self.timeout = timeout
    }

    /// Sends one request and waits for the whole answer.
    public func send(_ request: TransferRequest) async throws(TransferError) -> KeystoneAnswer {
        let exchange = SmallExchange(loop: loop, deadline: .now + timeout)
        return try await withCheckedContinuation { waiter in
            loop.enqueue { exchange.start(request, waiter) }
        }.get()
    }
}

/// One request and its whole answer in memory.
///
/// `@unchecked Sendable`: its state is touched on the transfer loop's thread only.
private final class SmallExchange: TransferSink, Ticking, @unchecked Sendable {
    typealias Outcome = Result<KeystoneAnswer, TransferError>

    /// A token's description has a few KiB.
    private static let limit = 1 << 20

    private let loop: TransferLoop
    private let deadline: ContinuousClock.Instant
    private var transfer: TransferID?
    private var waiter: CheckedContinuation<Outcome, Never>?
    private var head: ResponseHead?
    private var body: [UInt8] = []

    init(loop: TransferLoop, deadline: ContinuousClock.Instant) {
        self.loop = loop
        self.deadline = deadline
    }

    func start(_ request: TransferRequest, _ waiter: CheckedContinuation<Outcome, Never>) {
        self.waiter = waiter
        loop.add(self)
        transfer = loop.start(request, sink: self)
    }

    private func finish(_ outcome: Outcome) {
        if let transfer { loop.cancel(transfer) }
        loop.remove(self)
        waiter?.resume(returning: outcome)
        waiter = nil
    }

    func transferBegan(_ transfer: TransferID) {}

    func transfer(_ transfer: TransferID, head: ResponseHead) -> Bool {
        self.head = head
        return true
    }

    func transfer(_ transfer: TransferID, bytes: UnsafeRawBufferPointer) {
        if body.count <= Self.limit { body.append(contentsOf: bytes) }
    }

    func transfer(_ transfer: TransferID, slab: Slab) {}

    func transferSettled(_ transfer: TransferID) {
        if body.count > Self.limit { finish(.failure(TransferError(.rejected, message: "the answer is too long"))) }
    }

    func transfer(_ transfer: TransferID, endedWith error: TransferError?) {
        if let error {
            finish(.failure(error))
        } else if let head {
            finish(.success(KeystoneAnswer(head: head, body: body)))
        } else {
            finish(.failure(TransferError(.protocolViolation, message: "the answer has no head")))
        }
    }

    func tick(_ now: ContinuousClock.Instant) {
        if now >= deadline { finish(.failure(TransferError(.connectTimeout, message: "no answer in time"))) }
    }
}
