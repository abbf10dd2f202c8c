import NIOCore

/// One request and its whole answer in memory, for answers that are small; or its head alone.
///
/// `@unchecked Sendable`: its state is touched on the transfer loop's thread only.
package final class Exchange: TransferSink, Ticking, @unchecked Sendable {
    /// An answer, whatever its status.
    package struct Answer: Sendable {
        /// The head.
        package let head: ResponseHead
        /// The body; empty if the head alone was asked for.
        package let body: [UInt8]

        /// An answer with every property given.
        package init(head: ResponseHead, body: [UInt8]) {
            self.head = head
            self.body = body
        }
    }

    private typealias Outcome = Result<Answer, TransferError>

    private let loop: TransferLoop
    private var limit: Int
    /// How much of the body to keep, once the head is there; nil for what `limit` says, and no more.
    private let part: (@Sendable (ResponseHead) -> Int)?
    private var deadline: ContinuousClock.Instant?
    /// How long nothing may come; each sign of the server moves the deadline. Nil for a deadline that stands.
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

    /// Sends a request and waits for the answer.
    /// - Parameters:
    ///   - limit: the most bytes of the body; 0 asks for the head alone and ends the transfer there.
    ///   - timeout: how long it may take; nil for as long as the server keeps the connection.
    package static func run(
        _ request: TransferRequest, on loop: TransferLoop, limit: Int, timeout: Duration?
    ) async throws(TransferError) -> Answer {
        try await Exchange(loop: loop, limit: limit, timeout: timeout).run(request)
    }

    /// Sends a request and waits for the answer as long as something comes.
    /// - Parameters:
    ///   - limit: the most bytes of the body.
    ///   - silence: how long nothing may come.
    package static func run(
        _ request: TransferRequest, on loop: TransferLoop, limit: Int, silence: Duration
    ) async throws(TransferError) -> Answer {
        try await Exchange(loop: loop, limit: limit, timeout: nil, silence: silence).run(request)
    }

    /// Sends a request, and waits for the head and the part of the body that it makes worth reading. What is
    /// longer is cut, and a body that breaks or takes too long is what came of it.
    /// - Parameters:
    ///   - timeout: how long it may take.
    ///   - part: the most bytes of the body, by the head; 0 ends the transfer there.
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
        if let silence { deadline = .now + silence }
    }

    private func finish(_ outcome: Outcome) {
        if let transfer { loop.cancel(transfer) }
        loop.remove(self)
        waiter?.resume(returning: outcome)
        waiter = nil
    }

    /// Nothing to do: the deadline runs from the start.
    package func transferBegan(_ transfer: TransferID) {}

    /// Keeps the head, and goes on if the body is wanted.
    package func transfer(_ transfer: TransferID, head: ResponseHead) -> Bool {
        self.head = head
        extend()
        if let part { limit = part(head) }
        return limit > 0
    }

    /// Keeps what fits, and one byte more to tell that there was more.
    package func transfer(_ transfer: TransferID, bytes: UnsafeRawBufferPointer) {
        extend()
        body.append(contentsOf: bytes.prefix(max(0, limit + 1 - body.count)))
    }

    /// Keeps a file's bytes alike.
    package func transfer(_ transfer: TransferID, slab: Slab) {
        slab.withUnsafeReadableBytes { self.transfer(transfer, bytes: $0) }
    }

    /// Ends an answer that is too long.
    package func transferSettled(_ transfer: TransferID) {
        guard body.count > limit else { return }
        if part != nil, let head {
            finish(.success(Answer(head: head, body: Array(body.prefix(limit)))))
        } else {
            finish(.failure(TransferError(.rejected, message: "the answer is too long")))
        }
    }

    /// Hands the answer over.
    package func transfer(_ transfer: TransferID, endedWith error: TransferError?) {
        if let head, error == nil || limit == 0 || part != nil {
            finish(.success(Answer(head: head, body: body)))
        } else {
            finish(.failure(error ?? TransferError(.protocolViolation, message: "the answer has no head")))
        }
    }

    /// Gives up when the time is over.
    package func tick(_ now: ContinuousClock.Instant) {
        guard let deadline, now >= deadline else { return }
        if part != nil, let head { return finish(.success(Answer(head: head, body: body))) }
        finish(.failure(TransferError(.noAnswer, message: "no answer in time")))
    }
}
