import BackendKit
import CurlTransfer
import FormatInspection
import ImageCatalog
import ImageModel
import OriginRead
import Synchronization

/// Reads one location alone and in full, for its digests: the shell around a `FullReadState`.
///
/// `@unchecked Sendable`: everything mutable is touched on `loop`'s thread only, but for `latest`, which has its own lock.
final class LocationRead: Ticking, @unchecked Sendable {
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
    /// What reads now; nil between two attempts.
    private var attempt: OriginAttempt?
    private var askAt: ContinuousClock.Instant?
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
            isDigestDeclared: plan.isDigestDeclared, progress: digests.resumed, seed: .random(in: 0...UInt64.max))
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
        let attempt = OriginAttempt(
            AttemptRequest(
                driver: plan.driver, connections: plan.connections, queueKey: plan.queueKey,
                read: ReadRequest(path: plan.path, range: course.range, isFresh: plan.isFresh),
                timeouts: AttemptTimeouts(
                    permit: plan.queueTimeout, worker: plan.queueTimeout, inactivity: plan.stallTimeout,
                    refusal: plan.stallTimeout)),
            on: loop, sink: self)
        self.attempt = attempt
        attempt.start()
    }

    /// The attempt is over or is cancelled: goes on with what is decided.
    private func follow(_ step: FullReadState.Step) {
        cancelAttempt()
        switch step {
        case .ask(let time):
            askAt = time
            askIfDue()
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

    private func cancelAttempt() {
        attempt?.cancel()
        attempt = nil
    }

    private func askIfDue() {
        guard let askAt, askAt <= loop.now, plan.pace.allowsMore(at: loop.now) else { return }
        ask()
    }

    private func finish(_ outcome: Outcome) {
        isOver = true
        askAt = nil
        cancelAttempt()
        loop.remove(self)
        if outcome.isCancelled { note() }
        waiter?.resume(returning: outcome)
        waiter = nil
    }

    private func note() {
        noted = course.position
        guard let size = course.size else { return }
        let progress = digests.progress(size: size, validator: course.validator)
        latest.withLock { $0 = progress }
    }

    func tick(_ now: ContinuousClock.Instant) {
        askIfDue()
        if let attempt, attempt.isPaused, plan.pace.allowsMore(at: now) { attempt.resume() }
    }
}

// What the attempt brings.
extension LocationRead: AttemptSink {
    func attempt(_ attempt: OriginAttempt, head: ObjectHead) -> HeadDecision {
        switch course.judge(head) {
        case .success(let window):
            if let size = course.size ?? plan.expectedSize { digests.begin(size: size) }
            return .read(window)
        case .failure(let failure): return .reject(failure)
        }
    }

    func attempt(_ attempt: OriginAttempt, bytes: UnsafeRawBufferPointer) { digests.update(bytes) }

    func attemptSettled(_ attempt: OriginAttempt) {
        let taken = attempt.takeCounts().kept
        guard taken > 0 else { return }
        course.advance(by: taken)
        plan.pace.take(taken, at: loop.now)
        if let excess = course.excess { return follow(course.failed(excess, at: loop.now)) }
        if course.position - noted >= digests.stride { note() }
        if !plan.pace.allowsMore(at: loop.now), plan.driver.capabilities.maximumRange == nil { attempt.pause() }
    }

    /// A download waits for the connection.
    func attemptPermitWanted(_ attempt: OriginAttempt) { follow(course.yielded(at: loop.now)) }

    func attempt(_ attempt: OriginAttempt, endedWith failure: AttemptFailure?) {
        guard let failure else { return follow(course.ended(at: loop.now)) }
        guard failure.reason == .busy else { return follow(course.failed(failure, at: loop.now)) }
        // Others, of other backends, wait for this reader.
        note()
        finish(.failed(failure))
    }
}

extension LocationRead.Outcome {
    fileprivate var isCancelled: Bool { if case .cancelled = self { true } else { false } }
}
