import CurlTransfer

/// One GET of an image's data into a file or a stream.
///
/// `@unchecked Sendable`: its state is touched on the transfer loop's thread only, until `run` has returned.
final class FileFetch: TransferSink, Ticking, @unchecked Sendable {
    /// What a fetch is doing.
    private enum State {
        /// Not started. Goes to: fetching, over.
        case idle
        /// The transfer runs. Goes to: over.
        case fetching(TransferID, Waiter)
        /// Ended, or cancelled before it started. Final.
        case over
    }

    private typealias Waiter = CheckedContinuation<Void, any Error>

    private let target: DownloadTarget
    private let sink: any DownloadSink
    private let endpoint: Endpoint
    private let onProgress: @Sendable (Download.Progress) -> Void
    private var state = State.idle
    private var failure: ClientError?
    private var refusal: ResponseHead?
    private var refusalBody: [UInt8] = []
    private var limit: RateLimit
    private var lastActivity = ContinuousClock.now
    private var lastReport = ContinuousClock.now
    private var isPaused = false
    /// Whether the bytes that existed before are no longer part of the result.
    private(set) var hasRestarted = false

    init(
        target: DownloadTarget, sink: any DownloadSink, endpoint: Endpoint, bytesPerSecond: Int64?,
        onProgress: @escaping @Sendable (Download.Progress) -> Void
    ) {
        self.target = target
        self.sink = sink
        self.endpoint = endpoint
        limit = RateLimit(bytesPerSecond, startedAt: .now)
        self.onProgress = onProgress
    }

    func run(_ request: TransferRequest) async throws {
        let loop = endpoint.loop
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (waiter: Waiter) in
                loop.enqueue {
                    if case .over = self.state { return waiter.resume(throwing: CancellationError()) }
                    self.lastActivity = loop.now
                    loop.add(self)
                    self.state = .fetching(loop.start(request, sink: self), waiter)
                }
            }
        } onCancel: {
            loop.enqueue { self.finish(throwing: CancellationError()) }
        }
    }

    private func finish(throwing error: (any Error)?) {
        let ended = state
        state = .over
        guard case .fetching(let transfer, let waiter) = ended else { return }
        endpoint.loop.cancel(transfer)
        endpoint.loop.remove(self)
        report()
        if let error { waiter.resume(throwing: error) } else { waiter.resume() }
    }

    private func report() { onProgress(Download.Progress(done: sink.size, total: target.size)) }

    func transferBegan(_ transfer: TransferID) {}

    func transfer(_ transfer: TransferID, head: ResponseHead) -> Bool {
        lastActivity = endpoint.loop.now
        switch head.status {
        case 206:
            let start = head["content-range"].flatMap { $0.split(separator: " ").last?.split(separator: "-").first }
            guard start.flatMap({ Int64($0) }) == sink.offset else {
                failure = ClientError(.invalidInput, "\(endpoint.url) sent another range than the requested one: try again.")
                return false
            }
            return true
        case 200:
            // The server ignored the range, or none was requested.
            guard sink.offset > 0 else { return true }
            // The image has changed, or it is on integrity hold: the existing bytes must not be completed.
            do { try sink.restart() } catch { failure = error }
            hasRestarted = true
            return failure == nil
        default:
            refusal = head
            return true
        }
    }

    func transfer(_ transfer: TransferID, bytes: UnsafeRawBufferPointer) {
        lastActivity = endpoint.loop.now
        guard refusal == nil else {
            if refusalBody.count < 1 << 16 { refusalBody.append(contentsOf: bytes) }
            return
        }
        guard failure == nil else { return }
        limit.receive(Int64(bytes.count))
        do { try sink.append(bytes) } catch { failure = error }
        // Time that the output takes does not count as the server's silence.
        lastActivity = .now
    }

    func transfer(_ transfer: TransferID, slab: Slab) {}

    func transferSettled(_ transfer: TransferID) {
        if let failure { return finish(throwing: failure) }
        if limit.isAhead(at: endpoint.loop.now), !isPaused {
            isPaused = true
            endpoint.loop.pause(transfer)
        }
    }

    func transfer(_ transfer: TransferID, endedWith error: TransferError?) {
        if let failure { return finish(throwing: failure) }
        if let refusal { return finish(throwing: endpoint.refusal(.init(head: refusal, body: refusalBody))) }
        finish(throwing: error.map { ClientError.unreachable(endpoint, $0) })
    }

    func tick(_ now: ContinuousClock.Instant) {
        if now - lastReport >= .milliseconds(100) {
            lastReport = now
            report()
        }
        if isPaused, !limit.isAhead(at: now), case .fetching(let transfer, _) = state {
            isPaused = false
            lastActivity = now
            endpoint.loop.resume(transfer)
        }
        if !isPaused, now - lastActivity >= endpoint.timeout {
            finish(throwing: ClientError.silent(endpoint))
        }
    }
}
