import BackendKit
import CurlTransfer
import FormatInspection
import ImageCatalog
import ImageModel
import NIOCore
import RelayEngine
import Synchronization

/// Reads one location alone and in full, for its digests: the shell around a `FullReadState`.
///
/// `@unchecked Sendable`: everything mutable is touched on `loop`'s thread only, but for `latest`, which has its own lock.
final class LocationRead: TransferSink, Ticking, @unchecked Sendable {
    /// What is to be read, and how.
    struct Plan: Sendable {
        let driver: any Driver
        /// The backend's limit of connections, if there is one, and for whom one is wanted.
        let connections: ConnectionLimit?
        let queueKey: QueueKey
        let path: String
        /// What the object must have; nil if that is to be found out.
        let expectedSize: Int64?
        /// The most bytes of an object whose size is not declared.
        var sizeLimit: Int64 = .max
        let algorithms: Set<DigestAlgorithm>
        /// Whether a digest was declared, so that what was read is compared with it in the end.
        var isDigestDeclared = false
        /// The size of the chunks that a manifest is made of; nil makes none.
        var chunkSize: Int64? = nil
        /// The format that its bytes must be of; nil where that is not looked at.
        var declared: Format? = nil
        /// Whether to go past caches on new connections.
        let isFresh: Bool
        /// How far an earlier read came.
        let progress: ReadProgress?
        let pace: ReadRateLimiter
        /// How long no byte may come.
        let stallTimeout: Duration
        /// How long it waits for a place among the connections, or for a worker, before it makes room for reads of other backends.
        var queueTimeout: Duration = .seconds(20)
    }

    /// What came of it.
    enum Outcome: Sendable {
        /// Every byte was read; with the digests of the chunks, if they were asked for and nothing of the object was read without,
        /// and with what speaks against its format.
        case read(LocationContent, manifest: Manifest?, FormatRefusal?)
        /// The object has another size than it must; its bytes were not read.
        case otherSize(Int64)
        case failed(AttemptFailure)
        case cancelled
    }

    private let plan: Plan
    private let loop: TransferLoop
    private var course: FullReadState
    private var digests: ReadDigests
    /// Among the backend's connections, or the wait for it.
    private var place: ConnectionPermit?
    /// Counts the attempts, so that what comes late for an earlier one is known as such.
    private var round = 0
    private var isRenewing = false
    /// The credentials that the last request showed.
    private var generation = 0
    private var read: ReadRequest?
    private var transfer: TransferID?
    private var bodyWindow: BodyWindow?
    private var taken: Int64 = 0
    private var askAt: ContinuousClock.Instant?
    /// Since when it waits for a place among the connections; nil when it has one or needs none.
    private var waitsSince: ContinuousClock.Instant?
    private var hasBegun = false
    private var isPaused = false
    private var lastActivity = ContinuousClock.now
    private var rejection: AttemptFailure?
    /// Why there will be no bytes, while the server still says why.
    private var refusal: Refusal?
    private var isOver = false
    private var waiter: CheckedContinuation<Outcome, Never>?
    private var noted: Int64 = 0
    private let latest = Mutex<ReadProgress?>(nil)

    init(_ plan: Plan, loop: TransferLoop) {
        self.plan = plan
        self.loop = loop
        digests = ReadDigests(
            plan.algorithms, chunkSize: plan.chunkSize, declared: plan.declared, progress: plan.progress)
        resumes = digests.resumed != nil
        course = FullReadState(
            expectedSize: plan.expectedSize, sizeLimit: plan.sizeLimit, maximumRange: plan.driver.capabilities.maximumRange,
            renewsCredentials: plan.driver.credentials != nil, isDigestDeclared: plan.isDigestDeclared,
            progress: digests.resumed, seed: .random(in: 0...UInt64.max))
    }

    /// Whether it goes on where an earlier read was, as far as can be told before it asks.
    let resumes: Bool

    /// How far it is; can be asked from any thread.
    var progress: ReadProgress? { latest.withLock { $0 } }

    /// Reads to the end, or until the task is cancelled.
    func run() async -> Outcome {
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                loop.enqueue {
                    self.waiter = waiter
                    if self.isOver { return self.finish(.cancelled) }
                    self.loop.add(self)
                    self.ask()
                }
            }
        } onCancel: {
            loop.enqueue { self.finish(.cancelled) }
        }
    }

    private func ask() {
        askAt = nil
        round += 1
        guard let connections = plan.connections else { return prepare() }
        let round = round
        let (place, isAdmitted) = connections.enter(
            plan.queueKey, yield: { [weak self, loop] in loop.enqueue { [weak self] in self?.yield(round) } },
            admitted: { [weak self, loop] in loop.enqueue { [weak self] in self?.admitted(round) } })
        self.place = place
        if isAdmitted { prepare() } else { waitsSince = loop.now }
    }

    private func admitted(_ round: Int) {
        if round == self.round { prepare() }
    }

    /// A download waits for the connection.
    private func yield(_ round: Int) {
        guard round == self.round, place != nil else { return }
        if let transfer { loop.cancel(transfer) }
        follow(course.yielded(at: loop.now))
    }

    /// Asks once the credentials are good, as far as anybody knows.
    private func prepare() {
        waitsSince = nil
        guard let credentials = plan.driver.credentials, !credentials.areReady else { return send() }
        renew(credentials, beyond: credentials.generation)
    }

    private func renew(_ credentials: any RenewableCredentials, beyond generation: Int) {
        isRenewing = true
        lastActivity = loop.now
        let round = round
        credentials.renew(beyond: generation) { [weak self, loop] failure in
            loop.enqueue { [weak self] in self?.renewed(round, failure) }
        }
    }

    private func renewed(_ round: Int, _ failure: AttemptFailure?) {
        guard round == self.round, isRenewing else { return }
        isRenewing = false
        if let failure { follow(course.notRenewed(failure, at: loop.now)) } else { send() }
    }

    private func send() {
        generation = plan.driver.credentials?.generation ?? 0
        let read = ReadRequest(path: plan.path, range: course.range, isFresh: plan.isFresh)
        self.read = read
        (bodyWindow, rejection, refusal, hasBegun, isPaused) = (nil, nil, nil, false, false)
        lastActivity = loop.now
        transfer = loop.start(plan.driver.transferRequest(for: read), sink: self)
    }

    private func follow(_ step: FullReadState.Step) {
        transfer = nil
        isRenewing = false
        if step == .renew, let credentials = plan.driver.credentials { return renew(credentials, beyond: generation) }
        releasePermit()
        switch step {
        case .ask(let time):
            askAt = time
            askIfDue()
        case .renew: break  // done above, with the place kept
        case .restart:
            digests.start()
            noted = 0
            askAt = loop.now
            askIfDue()
        case .done:
            finish(
                .read(
                    LocationContent(
                        size: course.size ?? 0, digests: digests.finished, validator: course.validator,
                        isSizeStated: course.isSizeStated),
                    manifest: digests.manifest, digests.formatRefusal))
        case .fail(let failure):
            note()
            finish(course.otherSize.map { .otherSize($0) } ?? .failed(failure))
        }
    }

    private func askIfDue() {
        guard let askAt, askAt <= loop.now, plan.pace.allowsMore(at: loop.now) else { return }
        ask()
    }

    private func finish(_ outcome: Outcome) {
        isOver = true
        if let transfer { loop.cancel(transfer) }
        transfer = nil
        askAt = nil
        isRenewing = false
        releasePermit()
        loop.remove(self)
        if outcome.isCancelled { note() }
        waiter?.resume(returning: outcome)
        waiter = nil
    }

    private func releasePermit() {
        round += 1
        waitsSince = nil
        place?.leave()
        place = nil
    }

    private func note() {
        noted = course.position
        guard let size = course.size else { return }
        let progress = digests.progress(size: size, validator: course.validator)
        latest.withLock { $0 = progress }
    }

    // MARK: What the transfer brings

    func transferBegan(_ transfer: TransferID) {
        hasBegun = true
        lastActivity = loop.now
    }

    func transfer(_ transfer: TransferID, head: ResponseHead) -> Bool {
        guard let read, self.transfer == transfer else { return false }
        lastActivity = loop.now
        switch plan.driver.inspect(head, of: read).flatMap({ course.judge($0) }) {
        case .success(let bodyWindow):
            self.bodyWindow = bodyWindow
            if let size = course.size ?? plan.expectedSize { digests.begin(size: size) }
            return true
        case .failure(let failure):
            rejection = failure
            refusal = plan.driver.refusal(failure, head, at: loop.now)
            return refusal != nil
        }
    }

    func transfer(_ transfer: TransferID, bytes: UnsafeRawBufferPointer) {
        refusal?.take(bytes)
        guard let (drop, keep) = bodyWindow?.split(bytes.count), keep > 0 else { return }
        digests.update(UnsafeRawBufferPointer(rebasing: bytes[drop..<(drop + keep)]))
        taken += Int64(keep)
    }

    func transfer(_ transfer: TransferID, slab: ByteBuffer) {
        slab.withUnsafeReadableBytes { self.transfer(transfer, bytes: $0) }
    }

    func transferSettled(_ transfer: TransferID) {
        lastActivity = loop.now
        if let refusal, refusal.isFull {
            loop.cancel(transfer)
            return follow(course.failed(plan.driver.explain(refusal), at: loop.now))
        }
        guard taken > 0 else { return }
        course.advance(by: taken)
        plan.pace.take(taken, at: loop.now)
        taken = 0
        if let excess = course.excess {
            loop.cancel(transfer)
            return follow(course.failed(excess, at: loop.now))
        }
        if course.position - noted >= digests.stride { note() }
        if !plan.pace.allowsMore(at: loop.now), plan.driver.capabilities.maximumRange == nil, !isPaused {
            isPaused = true
            loop.pause(transfer)
        }
    }

    func transfer(_ transfer: TransferID, endedWith error: TransferError?) {
        guard self.transfer == transfer else { return }
        if let refusal {
            follow(course.failed(plan.driver.explain(refusal), at: loop.now))
        } else if let rejection {
            follow(course.failed(rejection, at: loop.now))
        } else if let error {
            follow(course.failed(plan.driver.classify(error), at: loop.now))
        } else {
            follow(course.ended(at: loop.now))
        }
    }

    func tick(_ now: ContinuousClock.Instant) {
        askIfDue()
        if let waitsSince, now - waitsSince >= plan.queueTimeout {
            // Others, of other backends, wait for this reader.
            note()
            return finish(.failed(.busy(after: plan.queueTimeout)))
        }
        if isRenewing, now - lastActivity >= plan.stallTimeout {
            follow(course.notRenewed(.noCredentials(within: plan.stallTimeout), at: now))
        }
        guard let transfer else { return }
        if isPaused, plan.pace.allowsMore(at: now) {
            isPaused = false
            lastActivity = now
            loop.resume(transfer)
        } else if hasBegun, !isPaused, now - lastActivity >= plan.stallTimeout {
            loop.cancel(transfer)
            if let refusal { return follow(course.failed(plan.driver.explain(refusal), at: now)) }
            follow(course.failed(AttemptFailure(.stall, .backend, detail: "no byte for \(plan.stallTimeout)"), at: now))
        } else if !hasBegun, now - lastActivity >= plan.queueTimeout {
            // All workers are held up, as by a mount that hangs.
            note()
            finish(.failed(AttemptFailure(.busy, .throttled, detail: "no worker free for \(plan.queueTimeout)")))
        }
    }
}

extension LocationRead.Outcome {
    fileprivate var isCancelled: Bool { if case .cancelled = self { true } else { false } }
}
