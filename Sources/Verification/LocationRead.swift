import BackendKit
import CurlTransfer
import FormatInspection
import ImageCatalog
import ImageModel
import OriginRead
import Synchronization

/// Reads one location alone and in full, for its digests: carries out what a `FullReadState` decides.
///
/// `@unchecked Sendable`: its state is touched on `loop`'s thread only (checked by `preconditionOnLoop`), except `latest`,
/// which has a lock.
final class LocationRead: Ticking, @unchecked Sendable {
    /// The object to read, and how to read it.
    struct Plan: Sendable {
        let driver: any Driver
        /// The limit of the backend's connections, if there is one, and the party that requests one.
        let connections: ConnectionLimit?
        let queueKey: QueueKey
        let path: String
        /// The size that the object must have; nil if it is not known.
        let expectedSize: Int64?
        /// The size limit in bytes of an object without a declared size.
        var sizeLimit: Int64 = .max
        let algorithms: Set<DigestAlgorithm>
        /// Whether a digest was declared, with which the bytes are compared in the end.
        var isDigestDeclared = false
        /// The chunk size of the manifest to make; nil for no manifest.
        var chunkSize: Int64? = nil
        /// The format that the bytes must have; nil if it is not checked.
        var declared: Format? = nil
        /// Whether to bypass caches and use new connections.
        let isFresh: Bool
        /// The progress of an earlier read.
        let progress: ReadProgress?
        let pace: ReadRateLimiter
        /// The longest time without a byte.
        let stallTimeout: Duration
        /// How long it waits for a permit or a worker before it makes room for reads of other backends.
        var queueTimeout: Duration = .seconds(20)
    }

    /// The result of a read.
    enum Outcome: Sendable {
        /// Every byte was read. The manifest is nil if none was requested, or if an earlier read had begun without one. The
        /// refusal says why the bytes do not have the declared format.
        case read(LocationContent, manifest: Manifest?, FormatRefusal?)
        /// The object has another size than the expected one; its bytes were not read.
        case otherSize(Int64)
        /// The object can't be read.
        case failed(AttemptFailure)
        /// The task was cancelled.
        case cancelled
    }

    /// What a read is doing.
    private enum State {
        /// Not started. Goes to: waiting, reading, over.
        case idle
        /// Waits until that time, or until the rate limit allows more. Goes to: reading, over.
        case waiting(Waiter, until: ContinuousClock.Instant)
        /// An attempt runs. Goes to: waiting, over.
        case reading(Waiter, OriginAttempt)
        /// Ended, or cancelled before it started. Final.
        case over
    }

    private typealias Waiter = CheckedContinuation<Outcome, Never>

    private let plan: Plan
    private let loop: TransferLoop
    private var course: FullReadState
    private var digests: ReadDigests
    private var state = State.idle
    /// The position of the last progress that was recorded.
    private var noted: Int64 = 0
    private let latest = Mutex<ReadProgress?>(nil)

    init(_ plan: Plan, loop: TransferLoop) {
        self.plan = plan
        self.loop = loop
        digests = ReadDigests(
            plan.algorithms, chunkSize: plan.chunkSize, declared: plan.declared, progress: plan.progress)
        hasResumed = digests.resumed != nil
        course = FullReadState(
            expectedSize: plan.expectedSize, sizeLimit: plan.sizeLimit, maximumRange: plan.driver.capabilities.maximumRange,
            isDigestDeclared: plan.isDigestDeclared, progress: digests.resumed, seed: .random(in: 0...UInt64.max))
    }

    /// Whether it continues an earlier read, as far as is known before the first request.
    let hasResumed: Bool

    /// The recorded progress. May be read on any thread.
    var progress: ReadProgress? { latest.withLock { $0 } }

    /// Reads to the end, or until the task is cancelled.
    func run() async -> Outcome {
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                loop.enqueue {
                    if case .over = self.state { return waiter.resume(returning: .cancelled) }
                    self.loop.add(self)
                    self.ask(for: waiter)
                }
            }
        } onCancel: {
            loop.enqueue { self.finish(.cancelled) }
        }
    }

    private func ask(for waiter: Waiter) {
        let attempt = OriginAttempt(
            AttemptRequest(
                driver: plan.driver, connections: plan.connections, queueKey: plan.queueKey,
                read: ReadRequest(path: plan.path, range: course.range, isFresh: plan.isFresh),
                timeouts: AttemptTimeouts(
                    permit: plan.queueTimeout, worker: plan.queueTimeout, inactivity: plan.stallTimeout,
                    refusal: plan.stallTimeout)),
            on: loop, sink: self)
        state = .reading(waiter, attempt)
        attempt.start()
    }

    /// Ends the running attempt, if it is not over, and continues with the next step.
    private func follow(_ step: FullReadState.Step) {
        guard case .reading(let waiter, let attempt) = state else { return }
        attempt.cancel()
        switch step {
        case .ask(let time):
            state = .waiting(waiter, until: time)
            askIfDue()
        case .restart:
            digests.start()
            noted = 0
            state = .waiting(waiter, until: loop.now)
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
        guard case .waiting(let waiter, let time) = state, time <= loop.now, plan.pace.allowsMore(at: loop.now) else { return }
        ask(for: waiter)
    }

    private func finish(_ outcome: Outcome) {
        let ended = state
        if case .over = ended { return }
        state = .over
        loop.remove(self)
        if case .reading(_, let attempt) = ended { attempt.cancel() }
        if case .cancelled = outcome { note() }
        switch ended {
        case .idle, .over: break
        case .waiting(let waiter, _), .reading(let waiter, _): waiter.resume(returning: outcome)
        }
    }

    private func note() {
        noted = course.position
        guard let size = course.size else { return }
        let progress = digests.progress(size: size, validator: course.validator)
        latest.withLock { $0 = progress }
    }

    func tick(_ now: ContinuousClock.Instant) {
        askIfDue()
        if case .reading(_, let attempt) = state, attempt.isPaused, plan.pace.allowsMore(at: now) { attempt.resume() }
    }
}

// The head, the bytes and the end of an attempt.
extension LocationRead: AttemptSink {
    func attempt(_ attempt: OriginAttempt, head: ObjectHead) -> HeadDecision {
        switch course.acceptHead(head) {
        case .success(let window):
            if let size = course.size ?? plan.expectedSize { digests.begin(size: size) }
            return .read(window)
        case .failure(let failure): return .reject(failure)
        }
    }

    func attempt(_ attempt: OriginAttempt, bytes: UnsafeRawBufferPointer) { digests.update(bytes) }

    func attemptSettled(_ attempt: OriginAttempt) {
        let count = attempt.takeCounts().kept
        guard count > 0 else { return }
        course.advance(by: count)
        plan.pace.take(count, at: loop.now)
        if let excess = course.excess { return follow(course.failed(excess, at: loop.now)) }
        if course.position - noted >= digests.stride { note() }
        if !plan.pace.allowsMore(at: loop.now), !plan.driver.capabilities.isBounded { attempt.pause() }
    }

    /// A download waits for the permit: gives it back and continues later.
    func attemptPermitWanted(_ attempt: OriginAttempt) { follow(course.yielded(at: loop.now)) }

    func attempt(_ attempt: OriginAttempt, endedWith failure: AttemptFailure?) {
        guard let failure else { return follow(course.ended(at: loop.now)) }
        guard failure.reason == .busy else { return follow(course.failed(failure, at: loop.now)) }
        // Reads of other backends wait for this reader.
        note()
        finish(.failed(failure))
    }
}
