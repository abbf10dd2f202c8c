package import BackendKit
package import CurlTransfer
package import NIOCore

/// One attempt at one byte range of one object: permit, credentials, request, head, body or the body of a refusal, end.
///
/// Downloads, full reads and probes all read a backend this way. An attempt waits no longer than its timeouts allow, renews
/// credentials once when the server refuses them, drops the bytes that its reader does not want, and reports a failure as one
/// `AttemptFailure`. The reader decides what follows.
///
/// `@unchecked Sendable`: its state is touched on `loop`'s thread only (checked by `preconditionOnLoop`).
package final class OriginAttempt: @unchecked Sendable {
    /// What an attempt is doing. A case carries what is valid only in it.
    private enum State {
        /// Not started. Goes to: awaitingPermit, preparingCredentials, awaitingWorker, ended.
        case idle
        /// Waits for a permit. Goes to: preparingCredentials, awaitingWorker, ended.
        case awaitingPermit(PermitWait)
        /// Waits for credentials. Goes to: awaitingWorker, ended.
        case preparingCredentials(Grant)
        /// The request is made and waits for a connection or a worker. Goes to: awaitingHead, ended.
        case awaitingWorker(RunningTransfer)
        /// The request has its connection or worker, and waits for the head. Goes to: readingBody, readingRefusal, rejected,
        /// ended.
        case awaitingHead(RunningTransfer)
        /// The body is being read. Goes to: ended.
        case readingBody(RunningTransfer, Body)
        /// The body of a refusal is being read, for its reason. Goes to: preparingCredentials, ended.
        case readingRefusal(RunningTransfer, RefusedBody)
        /// The response is not read further; the failure is nil if the reader has what it wanted. Goes to:
        /// preparingCredentials, ended.
        case rejected(RunningTransfer, AttemptFailure?)
        /// Over. Final.
        case ended(isComplete: Bool)
    }

    // The data of the cases are objects of the attempt alone. An instant has no size that the compiler knows, so an enum with
    // instants in it would be copied by the runtime, for each 16 KiB of a body.

    /// A wait for a permit.
    private final class PermitWait {
        let permit: ConnectionPermit
        let since: ContinuousClock.Instant
        /// Whether another download asks for the permit already.
        var isWanted = false

        init(_ permit: ConnectionPermit, since: ContinuousClock.Instant) {
            self.permit = permit
            self.since = since
        }
    }

    /// What the attempt holds once it may make its request.
    private final class Grant {
        /// Nil where the backend's connections are not limited.
        let permit: ConnectionPermit?
        let since: ContinuousClock.Instant
        /// When the attempt began to wait for its credentials.
        var credentialsSince: ContinuousClock.Instant
        /// Whether the credentials were renewed after a refusal.
        var hasRenewed = false

        init(permit: ConnectionPermit?, since: ContinuousClock.Instant) {
            self.permit = permit
            self.since = since
            credentialsSince = since
        }
    }

    /// A request that was made.
    private final class RunningTransfer {
        let grant: Grant
        let transfer: TransferID
        /// The generation of its credentials; nil if the driver has none to renew.
        let generation: Int?
        var lastActivity: ContinuousClock.Instant

        init(_ transfer: TransferID, grant: Grant, generation: Int?, at now: ContinuousClock.Instant) {
            self.grant = grant
            self.transfer = transfer
            self.generation = generation
            lastActivity = now
        }
    }

    /// A body that is being read.
    private final class Body {
        /// What to skip and what to keep; nil if no more is wanted. The reader decides it; this copy counts down at once.
        var window: BodyWindow?
        /// Whether the reader wants a pause. The transfer pauses at the end of a batch, and may pause for other reasons.
        var isPaused = false
        /// The numbers of bytes since the reader took the counts.
        var dropped: Int64 = 0
        var kept: Int64 = 0

        init(window: BodyWindow?) { self.window = window }
    }

    /// The body of a refusal that is being read.
    private final class RefusedBody {
        var refusal: OriginRefusal

        init(_ refusal: OriginRefusal) { self.refusal = refusal }
    }

    /// How long it waits from now on.
    package var timeouts: AttemptTimeouts { didSet { loop.preconditionOnLoop() } }
    private let request: AttemptRequest
    private let loop: TransferLoop
    /// The reader; nil once it must not be called any more.
    private var sink: (any AttemptSink)?
    private var state = State.idle

    /// An attempt that has not started.
    /// - Parameter sink: the reader; retained until the attempt is over.
    package init(_ request: AttemptRequest, on loop: TransferLoop, sink: any AttemptSink) {
        self.request = request
        timeouts = request.timeouts
        self.loop = loop
        self.sink = sink
    }

    // MARK: For the reader

    /// Starts the attempt.
    package func start() {
        loop.preconditionOnLoop()
        guard case .idle = state else { return }
        loop.add(self)
        guard let connections = request.connections else { return prepare(Grant(permit: nil, since: loop.now)) }
        let (permit, isAdmitted) = connections.enter(
            request.queueKey,
            yield: { [weak self, loop] in loop.enqueue { [weak self] in self?.permitWanted() } },
            admitted: { [weak self, loop] in loop.enqueue { [weak self] in self?.permitted() } })
        state = .awaitingPermit(PermitWait(permit, since: loop.now))
        if isAdmitted { permitted() }
    }

    /// Ends the attempt. The reader is not called again.
    package func cancel() {
        loop.preconditionOnLoop()
        sink = nil
        end(nil)
    }

    /// Stops reading for now. Bytes that were received already are still delivered.
    package func pause() {
        loop.preconditionOnLoop()
        guard case .readingBody(let running, let body) = state, !body.isPaused else { return }
        body.isPaused = true
        loop.pause(running.transfer)
    }

    /// Continues to read after a pause.
    package func resume() {
        loop.preconditionOnLoop()
        guard case .readingBody(let running, let body) = state, body.isPaused else { return }
        body.isPaused = false
        running.lastActivity = loop.now
        loop.resume(running.transfer)
    }

    /// Whether the reader has paused it.
    package var isPaused: Bool {
        loop.preconditionOnLoop()
        return if case .readingBody(_, let body) = state { body.isPaused } else { false }
    }

    /// Sets which of the following bytes of the body are wanted; nil for none. The reader must have called `takeCounts` before.
    package func setWindow(_ window: BodyWindow?) {
        loop.preconditionOnLoop()
        if case .readingBody(_, let body) = state { body.window = window }
    }

    /// The numbers of bytes of the body since the last call: those dropped, and those passed to the reader.
    package func takeCounts() -> (dropped: Int64, kept: Int64) {
        loop.preconditionOnLoop()
        guard case .readingBody(_, let body) = state else { return (0, 0) }
        let counts = (body.dropped, body.kept)
        (body.dropped, body.kept) = (0, 0)
        return counts
    }

    /// Whether every wanted byte has come.
    package var isComplete: Bool {
        loop.preconditionOnLoop()
        return switch state {
        case .readingBody(_, let body): body.window?.take == 0
        case .ended(let isComplete): isComplete
        case .idle, .awaitingPermit, .preparingCredentials, .awaitingWorker, .awaitingHead, .readingRefusal, .rejected: false
        }
    }

    /// Sets the terms on which the permit may be asked back.
    package func offerPermit(_ offer: ConnectionOffer) { permit?.offer(offer) }

    /// Keeps the permit although another download asks for it.
    package func insistOnPermit() { permit?.insist() }

    private var permit: ConnectionPermit? {
        loop.preconditionOnLoop()
        return switch state {
        case .idle, .ended: nil
        case .awaitingPermit(let wait): wait.permit
        case .preparingCredentials(let grant): grant.permit
        case .awaitingWorker(let running), .awaitingHead(let running), .readingBody(let running, _),
            .readingRefusal(let running, _), .rejected(let running, _):
            running.grant.permit
        }
    }

    private var transfer: TransferID? {
        switch state {
        case .idle, .ended, .awaitingPermit, .preparingCredentials: nil
        case .awaitingWorker(let running), .awaitingHead(let running), .readingBody(let running, _),
            .readingRefusal(let running, _), .rejected(let running, _):
            running.transfer
        }
    }

    // MARK: Permit and credentials

    private func permitted() {
        guard case .awaitingPermit(let wait) = state else { return }
        let grant = Grant(permit: wait.permit, since: loop.now)
        state = .preparingCredentials(grant)
        sink?.attemptPermitted(self)
        if wait.isWanted { sink?.attemptPermitWanted(self) }
        // The reader may have cancelled the attempt.
        guard case .preparingCredentials = state else { return }
        prepare(grant)
    }

    /// Another download waits for the permit. That may be known before the attempt knows that it has the permit.
    private func permitWanted() {
        if case .awaitingPermit(let wait) = state {
            wait.isWanted = true
        } else if permit != nil {
            sink?.attemptPermitWanted(self)
        }
    }

    private func prepare(_ grant: Grant) {
        guard let credentials = request.driver.credentials, !credentials.isReady else { return ask(grant) }
        fetch(credentials, beyond: credentials.generation, grant)
    }

    private func fetch(_ credentials: any RenewableCredentials, beyond generation: Int, _ grant: Grant) {
        grant.credentialsSince = loop.now
        state = .preparingCredentials(grant)
        credentials.renew(beyond: generation) { [weak self, loop] failure in
            loop.enqueue { [weak self] in self?.fetched(failure) }
        }
    }

    private func fetched(_ failure: AttemptFailure?) {
        guard case .preparingCredentials(let grant) = state else { return }
        if let failure { end(failure) } else { ask(grant) }
    }

    private func ask(_ grant: Grant) {
        // Read before the request is made: a renewal in between makes the credentials newer than noted, never older.
        let generation = request.driver.credentials?.generation
        let transfer = loop.start(request.driver.transferRequest(for: request.read), sink: self)
        state = .awaitingWorker(RunningTransfer(transfer, grant: grant, generation: generation, at: loop.now))
        sink?.attemptRequested(self)
    }

    // MARK: The end

    /// The attempt failed. If the server refused the credentials, they are renewed once, and the same bytes are requested again
    /// with the same permit.
    private func fail(_ failure: AttemptFailure) {
        switch state {
        case .readingRefusal(let running, _), .rejected(let running, _):
            guard failure.needsCredentials, !running.grant.hasRenewed, let credentials = request.driver.credentials else {
                break
            }
            loop.cancel(running.transfer)
            running.grant.hasRenewed = true
            return fetch(credentials, beyond: running.generation ?? credentials.generation, running.grant)
        case .idle, .awaitingPermit, .preparingCredentials, .awaitingWorker, .awaitingHead, .readingBody, .ended: break
        }
        end(failure)
    }

    private func end(_ failure: AttemptFailure?) {
        if case .ended = state { return }
        // The reader takes the counts of the bytes that came.
        if case .readingBody(_, let body) = state, body.dropped + body.kept > 0 {
            sink?.attemptSettled(self)
            if case .ended = state { return }
        }
        let (permit, transfer) = (permit, transfer)
        state = .ended(isComplete: isComplete)
        if let transfer { loop.cancel(transfer) }
        permit?.leave()
        loop.remove(self)
        let sink = sink
        self.sink = nil
        sink?.attempt(self, endedWith: failure)
    }
}

// MARK: - The transfer

extension OriginAttempt: TransferSink {
    /// The transfer got its connection or its worker.
    package func transferBegan(_ transfer: TransferID) {
        guard case .awaitingWorker(let running) = state, running.transfer == transfer else { return }
        running.lastActivity = loop.now
        state = .awaitingHead(running)
        sink?.attemptBegan(self)
    }

    /// Lets the driver inspect the head, then lets the reader decide whether to read the body.
    package func transfer(_ transfer: TransferID, head: ResponseHead) -> Bool {
        guard case .awaitingHead(let running) = state, running.transfer == transfer else { return false }
        running.lastActivity = loop.now
        switch request.driver.inspect(head, of: request.read) {
        case .failure(let failure):
            if let refusal = request.driver.refusal(failure, head, at: loop.now) {
                state = .readingRefusal(running, RefusedBody(refusal))
                return true
            }
            state = .rejected(running, failure)
        case .success(let object):
            switch sink?.attempt(self, head: object) ?? .stop {
            case .read(let window):
                state = .readingBody(running, Body(window: window))
                return true
            case .reject(let failure): state = .rejected(running, failure)
            case .stop: state = .rejected(running, nil)
            }
        }
        return false
    }

    /// Passes the wanted bytes of the body to the reader while they are in the processor's cache.
    package func transfer(_ transfer: TransferID, bytes: UnsafeRawBufferPointer) {
        if case .readingRefusal(let running, let body) = state, running.transfer == transfer {
            running.lastActivity = loop.now
            body.refusal.take(bytes)
            return
        }
        guard let (drop, keep) = split(bytes.count, of: transfer), keep > 0 else { return }
        sink?.attempt(self, bytes: UnsafeRawBufferPointer(rebasing: bytes[drop..<(drop + keep)]))
    }

    /// Passes the wanted part of a file's slab to the reader.
    package func transfer(_ transfer: TransferID, slab: ByteBuffer) {
        guard let (drop, keep) = split(slab.readableBytes, of: transfer), keep > 0 else { return }
        // A whole slab can be reused.
        let isWhole = keep == slab.readableBytes
        guard let wanted = isWhole ? slab : slab.getSlice(at: slab.readerIndex + drop, length: keep) else { return }
        sink?.attempt(self, slab: wanted)
    }

    private func split(_ count: Int, of transfer: TransferID) -> (drop: Int, keep: Int)? {
        guard case .readingBody(let running, let body) = state, running.transfer == transfer,
            let (drop, keep) = body.window?.split(count)
        else { return nil }
        body.dropped += Int64(count - keep)
        body.kept += Int64(keep)
        running.lastActivity = loop.now
        return (drop, keep)
    }

    /// Ends a refusal whose body is long enough to be explained; otherwise tells the reader that a batch is over.
    package func transferSettled(_ transfer: TransferID) {
        if case .readingRefusal(_, let body) = state, body.refusal.isFull {
            fail(request.driver.explain(body.refusal))
        } else {
            sink?.attemptSettled(self)
        }
    }

    /// Ends the attempt, with the driver's explanation of a failed transfer or of a refusal.
    package func transfer(_ transfer: TransferID, endedWith error: TransferError?) {
        guard self.transfer == transfer else { return }
        switch state {
        case .readingRefusal(_, let body): fail(request.driver.explain(body.refusal))
        case .rejected(_, .some(let failure)): fail(failure)
        case .rejected(_, nil): end(nil)
        case .idle, .awaitingPermit, .preparingCredentials, .awaitingWorker, .awaitingHead, .readingBody, .ended:
            end(error.map { request.driver.classify($0) })
        }
    }
}

// MARK: - Timeouts

extension OriginAttempt: Ticking {
    /// Ends the attempt if the step that it waits for takes too long.
    package func tick(_ now: ContinuousClock.Instant) {
        switch state {
        case .idle, .ended, .rejected: break
        case .awaitingPermit(let wait):
            guard let timeout = timeouts.permit, now - wait.since >= timeout, !mayWaitOn else { return }
            end(.busy(after: timeout))
        case .preparingCredentials(let grant):
            if now - grant.credentialsSince >= timeouts.inactivity {
                end(.noCredentials(within: timeouts.inactivity))
            } else if let limit = exceededLimit(of: grant, at: now) {
                end(.noCredentials(within: limit))
            }
        case .awaitingWorker(let running):
            let isLate = exceededLimit(of: running.grant, at: now) != nil
            guard isLate || now - running.lastActivity >= timeouts.worker, !mayWaitOn else { return }
            end(.noWorker(for: now - running.lastActivity))
        case .awaitingHead(let running):
            if let limit = exceededLimit(of: running.grant, at: now) { return end(.stall("no answer", for: limit)) }
            endIfSilent(running, at: now)
        case .readingBody(let running, let body):
            if !body.isPaused { endIfSilent(running, at: now) }
        case .readingRefusal(let running, let body):
            let isLate = exceededLimit(of: running.grant, at: now) != nil || now - body.refusal.began >= timeouts.refusal
            if isLate || now - running.lastActivity >= timeouts.inactivity { fail(request.driver.explain(body.refusal)) }
        }
    }

    private var mayWaitOn: Bool { sink?.attemptMayWaitOn(self) ?? false }

    private func endIfSilent(_ running: RunningTransfer, at now: ContinuousClock.Instant) {
        guard now - running.lastActivity >= timeouts.inactivity else { return }
        end(.stall("no byte", for: timeouts.inactivity))
    }

    /// The limit of the time to the head, if it is exceeded.
    private func exceededLimit(of grant: Grant, at now: ContinuousClock.Instant) -> Duration? {
        timeouts.head.flatMap { now - grant.since >= $0 ? $0 : nil }
    }
}
