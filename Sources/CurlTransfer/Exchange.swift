import NIOCore

/// One request with its complete response in memory, for small responses, or with the head of the response alone.
///
/// `@unchecked Sendable`: its state is touched on the transfer loop's thread only (checked by `preconditionOnLoop`).
package final class Exchange: TransferSink, Ticking, @unchecked Sendable {
    /// A response, whatever its status.
    package struct Answer: Sendable {
        package let head: ResponseHead
        /// The body; empty if only the head was requested.
        package let body: [UInt8]

        package init(head: ResponseHead, body: [UInt8]) {
            self.head = head
            self.body = body
        }
    }

    private typealias Outcome = Result<Answer, TransferError>

    private let loop: TransferLoop
    private var limit: Int
    /// The number of bytes of the body to keep, determined by the head; nil for `limit`, which the body must not exceed.
    private let part: (@Sendable (ResponseHead) -> Int)?
    private var deadline: ContinuousClock.Instant?
    /// The longest time without a byte; each byte extends the deadline. Nil for a fixed deadline.
    private let silence: Duration?
    private var transfer: TransferID?
    private var waiter: CheckedContinuation<Outcome, Never>?
    private var head: ResponseHead?
    private var body: [UInt8] = []

    private init(
        loop: TransferLoop, limit: Int, part: (@Sendable (ResponseHead) -> Int)? = nil, timeout: Duration?,
        silence: Duration? = nil
    ) {
        self.loop = loop
        self.limit = limit
        self.part = part
        self.silence = silence
        deadline = (timeout ?? silence).map { .now + $0 }
    }

    /// Sends a request and waits for the response.
    /// - Parameters:
    ///   - limit: the most bytes of the body; 0 reads the head alone and ends the transfer after it.
    ///   - timeout: the time limit of the whole exchange; nil waits as long as the server keeps the connection.
    package static func run(
        _ request: TransferRequest, on loop: TransferLoop, limit: Int, timeout: Duration?
    ) async throws(TransferError) -> Answer {
        try await Exchange(loop: loop, limit: limit, timeout: timeout).run(request)
    }

    /// Sends a request and waits for the response while the server keeps sending.
    /// - Parameters:
    ///   - limit: the most bytes of the body.
    ///   - silence: the longest time without any byte.
    package static func run(
        _ request: TransferRequest, on loop: TransferLoop, limit: Int, silence: Duration
    ) async throws(TransferError) -> Answer {
        try await Exchange(loop: loop, limit: limit, timeout: nil, silence: silence).run(request)
    }

    /// Sends a request, and waits for the head and as much of the body as the head makes worth reading. A longer body is
    /// truncated. A body that breaks off or takes too long is returned as far as it was received.
    /// - Parameters:
    ///   - timeout: the time limit.
    ///   - part: the most bytes of the body for a head; 0 ends the transfer after the head.
    package static func run(
        _ request: TransferRequest, on loop: TransferLoop, timeout: Duration,
        keeping part: @escaping @Sendable (ResponseHead) -> Int
    ) async throws(TransferError) -> Answer {
        try await Exchange(loop: loop, limit: 0, part: part, timeout: timeout).run(request)
    }

    private func run(_ request: TransferRequest) async throws(TransferError) -> Answer {
        let loop = loop
        return try await withCheckedContinuation { waiter in
            loop.enqueue {
                self.waiter = waiter
                if self.deadline != nil { loop.add(self) }
                self.transfer = loop.start(request, sink: self)
            }
        }.get()
    }

    private func extend() {
        loop.preconditionOnLoop()
        if let silence { deadline = .now + silence }
    }

    private func finish(_ outcome: Outcome) {
        if let transfer { loop.cancel(transfer) }
        loop.remove(self)
        waiter?.resume(returning: outcome)
        waiter = nil
    }

    /// Does nothing: the deadline runs from the start.
    package func transferBegan(_ transfer: TransferID) {}

    /// Keeps the head, and continues if the body is wanted.
    package func transfer(_ transfer: TransferID, head: ResponseHead) -> Bool {
        self.head = head
        extend()
        if let part { limit = part(head) }
        return limit > 0
    }

    /// Appends bytes up to the limit, and one more to detect a body that is too long.
    package func transfer(_ transfer: TransferID, bytes: UnsafeRawBufferPointer) {
        extend()
        body.append(contentsOf: bytes.prefix(max(0, limit + 1 - body.count)))
    }

    /// Appends the bytes of a file in the same way.
    package func transfer(_ transfer: TransferID, slab: Slab) {
        slab.withUnsafeReadableBytes { self.transfer(transfer, bytes: $0) }
    }

    /// Ends a response that is too long.
    package func transferSettled(_ transfer: TransferID) {
        guard body.count > limit else { return }
        if part != nil, let head {
            finish(.success(Answer(head: head, body: Array(body.prefix(limit)))))
        } else {
            finish(.failure(TransferError(.rejected, message: "the response is longer than \(limit) bytes")))
        }
    }

    /// Resumes the waiting caller with the response.
    package func transfer(_ transfer: TransferID, endedWith error: TransferError?) {
        if let head, error == nil || limit == 0 || part != nil {
            finish(.success(Answer(head: head, body: body)))
        } else {
            finish(.failure(error ?? TransferError(.protocolViolation, message: "the response has no head")))
        }
    }

    /// Gives up after the deadline.
    package func tick(_ now: ContinuousClock.Instant) {
        guard let deadline, now >= deadline else { return }
        if part != nil, let head { return finish(.success(Answer(head: head, body: body))) }
        finish(.failure(TransferError(.noAnswer, message: "no response arrived in time")))
    }
}
