import BackendKit
import CurlTransfer
import FaultyOrigin
import ImageModel
import NIOCore
import OriginRead
import Synchronization
import TokenBackend
import Waiting

/// One attempt over a real connection, and what its reader was told. It wants the bytes that were asked for, each at its offset.
///
/// `@unchecked Sendable`: `attempt` is touched on the transfer loop's thread only.
final class AttemptRun: AttemptSink, @unchecked Sendable {
    /// What the reader was told of the course of things, in order.
    enum Call: Equatable {
        case permitted, requested, began, head, permitWanted, ended
    }

    private struct State {
        var calls: [Call] = []
        var count: Int64 = 0
        var firstWrongByte: Int64?
        var isPaused = false
    }

    private let content: PatternedContent
    private let range: ByteRange?
    private let decision: (@Sendable (ObjectHead) -> HeadDecision)?
    private let loop: TransferLoop
    /// How many times it waits on after its time is over.
    private let waitsOn: Mutex<Int>
    private let pauseAfter: Int64?
    private let state = Mutex(State())
    private var attempt: OriginAttempt?
    private let ends: AsyncStream<AttemptFailure?>
    private let end: AsyncStream<AttemptFailure?>.Continuation

    /// - Parameters:
    ///   - range: what is asked for; nil for all.
    ///   - waitsOn: how many times it waits on after its time is over.
    ///   - pauseAfter: how many bytes come before it pauses, and stays so.
    ///   - decision: what to make of a head; nil wants exactly the bytes that were asked for.
    init(
        of content: PatternedContent, range: ByteRange? = nil, on loop: TransferLoop, waitsOn: Int = 0,
        pauseAfter: Int64? = nil, decision: (@Sendable (ObjectHead) -> HeadDecision)? = nil
    ) {
        self.content = content
        self.range = range
        self.decision = decision
        self.loop = loop
        self.waitsOn = Mutex(waitsOn)
        self.pauseAfter = pauseAfter
        (ends, end) = AsyncStream.makeStream(of: AttemptFailure?.self)
    }

    /// Longer than anything on a machine under load.
    static let patient = AttemptTimeouts(
        permit: .seconds(60), worker: .seconds(60), inactivity: .seconds(60), refusal: .seconds(60))

    func start(
        _ driver: any Driver, connections: ConnectionLimit? = nil,
        for queueKey: QueueKey = .download(by: "a test", of: "image"), timeouts: AttemptTimeouts = AttemptRun.patient
    ) {
        let request = AttemptRequest(
            driver: driver, connections: connections, queueKey: queueKey, read: ReadRequest(path: "image", range: range),
            timeouts: timeouts)
        loop.enqueue {
            let attempt = OriginAttempt(request, on: self.loop, sink: self)
            self.attempt = attempt
            attempt.start()
        }
    }

    func cancel() { loop.enqueue { self.attempt?.cancel() } }

    func resume() { loop.enqueue { self.attempt?.resume() } }

    /// Its failure, once it is over; nil for none.
    func failure() async throws -> AttemptFailure? { try await first(of: ends, "the end of the attempt") }

    var calls: [Call] { state.withLock { $0.calls } }
    var count: Int64 { state.withLock { $0.count } }
    var isPaused: Bool { state.withLock { $0.isPaused } }
    /// Whether exactly the bytes came that were asked for.
    var isExact: Bool { state.withLock { $0.count == range?.count ?? content.size && $0.firstWrongByte == nil } }
    /// Whether no byte came at another offset than its own.
    var isRight: Bool { state.withLock { $0.firstWrongByte == nil } }

    private func note(_ call: Call) { state.withLock { $0.calls.append(call) } }

    func attemptPermitted(_ attempt: OriginAttempt) { note(.permitted) }
    func attemptRequested(_ attempt: OriginAttempt) { note(.requested) }
    func attemptBegan(_ attempt: OriginAttempt) { note(.began) }

    func attempt(_ attempt: OriginAttempt, head: ObjectHead) -> HeadDecision {
        note(.head)
        if let decision { return decision(head) }
        let first = range?.first ?? 0
        return .read(BodyWindow(skip: first - head.first, take: range?.count ?? content.size))
    }

    func attempt(_ attempt: OriginAttempt, bytes: UnsafeRawBufferPointer) {
        state.withLock { state in
            let offset = (range?.first ?? 0) + state.count
            let difference = content.firstDifference(from: bytes, at: offset)
            if state.firstWrongByte == nil, let difference { state.firstWrongByte = offset + Int64(difference) }
            state.count += Int64(bytes.count)
        }
    }

    func attemptSettled(_ attempt: OriginAttempt) {
        guard let pauseAfter, !isPaused, count >= pauseAfter else { return }
        attempt.pause()
        state.withLock { $0.isPaused = true }
    }

    func attemptPermitWanted(_ attempt: OriginAttempt) {
        note(.permitWanted)
        attempt.cancel()
        end.yield(nil)
    }

    func attemptMayWaitOn(_ attempt: OriginAttempt) -> Bool {
        waitsOn.withLock { left in
            left -= 1
            return left >= 0
        }
    }

    func attempt(_ attempt: OriginAttempt, endedWith failure: AttemptFailure?) {
        note(.ended)
        end.yield(failure)
    }
}
