import BackendKit
import CurlTransfer
import FormatInspection
import ImageCatalog
import ImageModel
import OriginRead
import Synchronization

/// Reads one location alone and in full to compute its digests. It carries out the decisions of a `FullReadState`.
///
/// `@unchecked Sendable`: all mutable state is touched on `loop`'s thread only, except `latest`, which has its own lock.
final class LocationRead: Ticking, @unchecked Sendable {
    /// What to read, and how.
    struct Plan: Sendable {
        let driver: any Driver
        /// The limit on the backend's connections; nil for no limit.
        let connections: ConnectionLimit?
        let queueKey: QueueKey
        let path: String
        /// The size that the object must have, in bytes; nil if the read determines it.
        let expectedSize: Int64?
        /// The size limit in bytes of an object without a declared size.
        var sizeLimit: Int64 = .max
        let algorithms: Set<DigestAlgorithm>
        /// Whether a digest was declared, which the bytes are compared with at the end.
        var isDigestDeclared = false
        /// The chunk size in bytes of the manifest to build; nil builds none.
        var chunkSize: Int64? = nil
        /// The format that the bytes must have; nil disables the inspection.
        var declared: Format? = nil
        /// Whether to bypass caches and use a new connection.
        let isFresh: Bool
        /// The progress of an earlier read; nil to start at the first byte.
        let progress: ReadProgress?
        let pace: ReadRateLimiter
        /// The longest time without a byte.
        let stallTimeout: Duration
        /// How long the read waits for a connection or a worker. After that it fails with `busy`, so that its reader can serve
        /// other backends.
        var queueTimeout: Duration = .seconds(20)
    }

    /// The result of a read.
    enum Outcome: Sendable {
        /// Every byte was read. The manifest is nil if none was requested, or if an earlier part was read without one. The
        /// refusal is nil if the format is acceptable or was not inspected.
        case read(LocationContent, manifest: Manifest?, FormatRefusal?)
        /// The object's size, which is not the expected one.
        case otherSize(Int64)
        case failed(AttemptFailure)
        case cancelled
    }

    private let plan: Plan
    private let loop: TransferLoop
    private var course: FullReadState
    private var digests: ReadDigests
    /// The running attempt; nil between two attempts.
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
        hasResumed = digests.resumed != nil
        course = FullReadState(
            expectedSize: plan.expectedSize, sizeLimit: plan.sizeLimit, maximumRange: plan.driver.capabilities.maximumRange,
            isDigestDeclared: plan.isDigestDeclared, progress: digests.resumed, seed: .random(in: 0...UInt64.max))
    }

    /// Whether the read continues an earlier one, as known before the first request.
    let hasResumed: Bool

    /// The latest checkpoint; nil before the first one. May be read on any thread.
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

    /// Ends the running attempt and carries out the next step.
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

// The events of the running attempt.
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

    /// Gives the connection to a waiting download.
    func attemptPermitWanted(_ attempt: OriginAttempt) { follow(course.yielded(at: loop.now)) }

    func attempt(_ attempt: OriginAttempt, endedWith failure: AttemptFailure?) {
        guard let failure else { return follow(course.ended(at: loop.now)) }
        guard failure.reason == .busy else { return follow(course.failed(failure, at: loop.now)) }
        // The read ends, so that its reader can serve other backends.
        note()
        finish(.failed(failure))
    }
}

extension LocationRead.Outcome {
    fileprivate var isCancelled: Bool { if case .cancelled = self { true } else { false } }
}
