package import BackendKit
package import CurlTransfer
package import NIOCore

/// One attempt at one byte range of one object: permit, credentials, request, head, body or the body of a refusal, end.
///
/// It is the same for all who read a backend: a download, a full read, a probe. It waits no longer than its timeouts allow, renews
/// credentials once when the server refuses them, drops the bytes that its reader does not want, and says in one `AttemptFailure` why
/// it brought less than it was asked for. Which attempt follows is its reader's decision.
///
/// `@unchecked Sendable`: everything mutable is touched on `loop`'s thread only, and every method is called there.
package final class OriginAttempt: @unchecked Sendable {
    /// Where an attempt stands.
    private enum State {
        /// Not started. Goes to: awaitingPermit, preparingCredentials, awaitingWorker, ended.
        case idle
        /// Waits for a permit. Goes to: preparingCredentials, awaitingWorker, ended.
        case awaitingPermit(ConnectionPermit, since: ContinuousClock.Instant, isWanted: Bool)
        /// Waits for credentials. Goes to: awaitingWorker, ended.
        case preparingCredentials(Grant, since: ContinuousClock.Instant)
        /// The request is made and waits for a connection or a worker. Goes to: awaitingHead, ended.
        case awaitingWorker(Exchange)
        /// The server is to answer. Goes to: readingBody, readingRefusal, rejected, ended.
        case awaitingHead(Exchange)
        /// The body comes. Goes to: ended.
        case readingBody(Exchange, Body)
        /// The server says why there will be no bytes. Goes to: preparingCredentials, ended.
        case readingRefusal(Exchange, OriginRefusal)
        /// The answer is not wanted; nil where the reader has what it wanted. Goes to: preparingCredentials, ended.
        case rejected(Exchange, AttemptFailure?)
        /// Over. Goes nowhere.
        case ended(isComplete: Bool)
    }

    /// What the attempt holds once it may ask.
    private struct Grant {
        let permit: ConnectionPermit?
        let since: ContinuousClock.Instant
        var hasRenewed = false
    }

    /// A request under way.
    private struct Exchange {
        let grant: Grant
        let transfer: TransferID
        /// The credentials that it shows.
        let generation: Int?
        var lastActivity: ContinuousClock.Instant
    }

    /// A body under way.
    private struct Body {
        /// What is wanted of it; nil for nothing more.
        var window: BodyWindow?
        var isPaused = false
        /// Bytes since the reader took the counts.
        var dropped: Int64 = 0
        var kept: Int64 = 0
    }

    /// How long it waits from now on.
    package var timeouts: AttemptTimeouts
    private let request: AttemptRequest
    private let loop: TransferLoop
    private var sink: (any AttemptSink)?
    private var state = State.idle

    /// An attempt that has not started.
    /// - Parameter sink: its reader; kept until the attempt is over.
    package init(_ request: AttemptRequest, on loop: TransferLoop, sink: any AttemptSink) {
        self.request = request
        timeouts = request.timeouts
        self.loop = loop
        self.sink = sink
    }

    // MARK: What its reader may do

    /// Starts it.
    package func start() {
        guard case .idle = state else { return }
        loop.add(self)
        guard let connections = request.connections else { return prepare(Grant(permit: nil, since: loop.now)) }
        let (permit, isAdmitted) = connections.enter(
            request.queueKey,
            yield: { [weak self, loop] in loop.enqueue { [weak self] in self?.permitWanted() } },
            admitted: { [weak self, loop] in loop.enqueue { [weak self] in self?.permitted() } })
        state = .awaitingPermit(permit, since: loop.now, isWanted: false)
        if isAdmitted { permitted() }
    }

    /// Ends it; its reader is not called again.
    package func cancel() {
        sink = nil
        end(nil)
    }

    /// Stops reading for now. What has been received already still comes.
    package func pause() {
        guard case .readingBody(let exchange, var body) = state, !body.isPaused else { return }
        body.isPaused = true
        state = .readingBody(exchange, body)
        loop.pause(exchange.transfer)
    }

    /// Reads on.
    package func resume() {
        guard case .readingBody(var exchange, var body) = state, body.isPaused else { return }
        body.isPaused = false
        exchange.lastActivity = loop.now
        state = .readingBody(exchange, body)
        loop.resume(exchange.transfer)
    }

    /// Whether its reader has paused it.
    package var isPaused: Bool {
        if case .readingBody(_, let body) = state { body.isPaused } else { false }
    }

    /// Other bytes of the body are wanted from now on; nil for no more. What came before must have been taken with `takeCounts`.
    package func setWindow(_ window: BodyWindow?) {
        guard case .readingBody(let exchange, var body) = state else { return }
        body.window = window
        state = .readingBody(exchange, body)
    }

    /// How many bytes of the body came since the last call: not wanted, and handed over.
    package func takeCounts() -> (dropped: Int64, kept: Int64) {
        guard case .readingBody(let exchange, var body) = state else { return (0, 0) }
        defer { state = .readingBody(exchange, body) }
        let counts = (body.dropped, body.kept)
        (body.dropped, body.kept) = (0, 0)
        return counts
    }

    /// Whether every wanted byte has come.
    package var isComplete: Bool {
        switch state {
        case .readingBody(_, let body): body.window?.take == 0
        case .ended(let isComplete): isComplete
        default: false
        }
    }

    /// Says on what terms the permit may be asked back.
    package func offerPermit(_ offer: ConnectionOffer) { permit?.offer(offer) }

    /// Says that the permit can't be given back although it was asked for.
    package func insistOnPermit() { permit?.insist() }

    private var permit: ConnectionPermit? {
        switch state {
        case .idle, .ended: nil
        case .awaitingPermit(let permit, _, _): permit
        case .preparingCredentials(let grant, _): grant.permit
        case .awaitingWorker(let exchange), .awaitingHead(let exchange), .readingBody(let exchange, _),
            .readingRefusal(let exchange, _), .rejected(let exchange, _):
            exchange.grant.permit
        }
    }

    private var transfer: TransferID? {
        switch state {
        case .idle, .ended, .awaitingPermit, .preparingCredentials: nil
        case .awaitingWorker(let exchange), .awaitingHead(let exchange), .readingBody(let exchange, _),
            .readingRefusal(let exchange, _), .rejected(let exchange, _):
            exchange.transfer
        }
    }

    // MARK: Permit and credentials

    private func permitted() {
        guard case .awaitingPermit(let permit, _, let isWanted) = state else { return }
        let grant = Grant(permit: permit, since: loop.now)
        state = .preparingCredentials(grant, since: loop.now)
        sink?.attemptPermitted(self)
        if isWanted { sink?.attemptPermitWanted(self) }
        // The reader may have given it up.
        guard case .preparingCredentials = state else { return }
        prepare(grant)
    }

    /// Another download waits for the permit, which may be there before this attempt knows.
    private func permitWanted() {
        if case .awaitingPermit(let permit, let since, _) = state {
            state = .awaitingPermit(permit, since: since, isWanted: true)
        } else if permit != nil {
            sink?.attemptPermitWanted(self)
        }
    }

    private func prepare(_ grant: Grant) {
        guard let credentials = request.driver.credentials, !credentials.isReady else { return ask(grant) }
        fetch(credentials, beyond: credentials.generation, grant)
    }

    private func fetch(_ credentials: any RenewableCredentials, beyond generation: Int, _ grant: Grant) {
        state = .preparingCredentials(grant, since: loop.now)
        credentials.renew(beyond: generation) { [weak self, loop] failure in
            loop.enqueue { [weak self] in self?.fetched(failure) }
        }
    }

    private func fetched(_ failure: AttemptFailure?) {
        guard case .preparingCredentials(let grant, _) = state else { return }
        if let failure { end(failure) } else { ask(grant) }
    }

    private func ask(_ grant: Grant) {
        // Before the request is made: a renewal in between makes it newer than noted, never older.
        let generation = request.driver.credentials?.generation
        let transfer = loop.start(request.driver.transferRequest(for: request.read), sink: self)
        state = .awaitingWorker(
            Exchange(grant: grant, transfer: transfer, generation: generation, lastActivity: loop.now))
        sink?.attemptRequested(self)
    }

    // MARK: The end

    /// The attempt failed. Credentials that the server refuses are renewed once, and the same bytes asked for again with the same permit.
    private func fail(_ failure: AttemptFailure) {
        switch state {
        case .readingRefusal(let exchange, _), .rejected(let exchange, _):
            guard failure.needsCredentials, !exchange.grant.hasRenewed, let credentials = request.driver.credentials else {
                break
            }
            loop.cancel(exchange.transfer)
            var grant = exchange.grant
            grant.hasRenewed = true
            return fetch(credentials, beyond: exchange.generation ?? credentials.generation, grant)
        default: break
        }
        end(failure)
    }

    private func end(_ failure: AttemptFailure?) {
        if case .ended = state { return }
        // Nothing that came is lost to its reader.
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

// MARK: - What the transfer brings

extension OriginAttempt: TransferSink {
    /// The transfer got its connection or its worker.
    package func transferBegan(_ transfer: TransferID) {
        guard case .awaitingWorker(var exchange) = state, exchange.transfer == transfer else { return }
        exchange.lastActivity = loop.now
        state = .awaitingHead(exchange)
        sink?.attemptBegan(self)
    }

    /// Asks the driver, then the reader, what to make of the head.
    package func transfer(_ transfer: TransferID, head: ResponseHead) -> Bool {
        guard case .awaitingHead(var exchange) = state, exchange.transfer == transfer else { return false }
        exchange.lastActivity = loop.now
        switch request.driver.inspect(head, of: request.read) {
        case .failure(let failure):
            if let refusal = request.driver.refusal(failure, head, at: loop.now) {
                state = .readingRefusal(exchange, refusal)
                return true
            }
            state = .rejected(exchange, failure)
        case .success(let object):
            switch sink?.attempt(self, head: object) ?? .stop {
            case .read(let window):
                state = .readingBody(exchange, Body(window: window))
                return true
            case .reject(let failure): state = .rejected(exchange, failure)
            case .stop: state = .rejected(exchange, nil)
            }
        }
        return false
    }

    /// Hands over what is wanted of the bytes, while they are hot.
    package func transfer(_ transfer: TransferID, bytes: UnsafeRawBufferPointer) {
        if case .readingRefusal(var exchange, var refusal) = state, exchange.transfer == transfer {
            exchange.lastActivity = loop.now
            refusal.take(bytes)
            state = .readingRefusal(exchange, refusal)
            return
        }
        guard let (drop, keep) = split(bytes.count, of: transfer), keep > 0 else { return }
        sink?.attempt(self, bytes: UnsafeRawBufferPointer(rebasing: bytes[drop..<(drop + keep)]))
    }

    /// Hands over what is wanted of a slab of a file.
    package func transfer(_ transfer: TransferID, slab: ByteBuffer) {
        guard let (drop, keep) = split(slab.readableBytes, of: transfer), keep > 0 else { return }
        // A whole one can be used again.
        let isWhole = keep == slab.readableBytes
        guard let wanted = isWhole ? slab : slab.getSlice(at: slab.readerIndex + drop, length: keep) else { return }
        sink?.attempt(self, slab: wanted)
    }

    private func split(_ count: Int, of transfer: TransferID) -> (drop: Int, keep: Int)? {
        guard case .readingBody(var exchange, var body) = state, exchange.transfer == transfer,
            let (drop, keep) = body.window?.split(count)
        else { return nil }
        body.dropped += Int64(count - keep)
        body.kept += Int64(keep)
        exchange.lastActivity = loop.now
        state = .readingBody(exchange, body)
        return (drop, keep)
    }

    /// Ends a refusal that has said enough; else lets the reader decide.
    package func transferSettled(_ transfer: TransferID) {
        if case .readingRefusal(_, let refusal) = state, refusal.isFull {
            fail(request.driver.explain(refusal))
        } else {
            sink?.attemptSettled(self)
        }
    }

    /// Says what the end means.
    package func transfer(_ transfer: TransferID, endedWith error: TransferError?) {
        guard self.transfer == transfer else { return }
        switch state {
        case .readingRefusal(_, let refusal): fail(request.driver.explain(refusal))
        case .rejected(_, .some(let failure)): fail(failure)
        case .rejected(_, nil): end(nil)
        default: end(error.map { request.driver.classify($0) })
        }
    }
}

// MARK: - How long it waits

extension OriginAttempt: Ticking {
    /// Looks whether something takes too long.
    package func tick(_ now: ContinuousClock.Instant) {
        switch state {
        case .idle, .ended, .rejected: break
        case .awaitingPermit(_, let since, _):
            guard let timeout = timeouts.permit, now - since >= timeout, !mayWaitOn else { return }
            end(.busy(after: timeout))
        case .preparingCredentials(let grant, let since):
            if now - since >= timeouts.inactivity {
                end(.noCredentials(within: timeouts.inactivity))
            } else if let limit = exceededLimit(of: grant, at: now) {
                end(.noCredentials(within: limit))
            }
        case .awaitingWorker(let exchange):
            let isLate = exceededLimit(of: exchange.grant, at: now) != nil
            guard isLate || now - exchange.lastActivity >= timeouts.worker, !mayWaitOn else { return }
            end(.noWorker(for: now - exchange.lastActivity))
        case .awaitingHead(let exchange):
            if let limit = exceededLimit(of: exchange.grant, at: now) { return end(.stall("no answer", for: limit)) }
            endIfSilent(exchange, at: now)
        case .readingBody(let exchange, let body):
            if !body.isPaused { endIfSilent(exchange, at: now) }
        case .readingRefusal(let exchange, let refusal):
            let isLate = exceededLimit(of: exchange.grant, at: now) != nil || now - refusal.began >= timeouts.refusal
            if isLate || now - exchange.lastActivity >= timeouts.inactivity { fail(request.driver.explain(refusal)) }
        }
    }

    private var mayWaitOn: Bool { sink?.attemptMayWaitOn(self) ?? false }

    private func endIfSilent(_ exchange: Exchange, at now: ContinuousClock.Instant) {
        guard now - exchange.lastActivity >= timeouts.inactivity else { return }
        end(.stall("no byte", for: timeouts.inactivity))
    }

    /// The time to the head, where it is over.
    private func exceededLimit(of grant: Grant, at now: ContinuousClock.Instant) -> Duration? {
        timeouts.head.flatMap { now - grant.since >= $0 ? $0 : nil }
    }
}
