import BackendKit
import CurlTransfer
import ImageModel
import LocationSelection
import NIOCore
import RelayEngine

/// One relay from an image's direct locations into a file: the server's own way of moving on from a location that fails, run
/// in the client.
///
/// `@unchecked Sendable`: its state is touched on the transfer loop's thread only.
final class DirectFetch: ResponseSink, Ticking, @unchecked Sendable {
    private let target: DownloadTarget
    private let sink: any DownloadSink
    private let loop: TransferLoop
    private let onProgress: @Sendable (Download.Progress) -> Void
    private var limit: RateLimit
    private var relay: Relay?
    private var waiter: CheckedContinuation<RelaySummary, any Error>?
    private var failure: ClientError?
    /// What the relay waits for, while more has come than the limit of the rate allows.
    private var held: [@Sendable () -> Void] = []
    private var lastReport = ContinuousClock.now

    init(
        target: DownloadTarget, sink: any DownloadSink, loop: TransferLoop, bytesPerSecond: Int64?,
        onProgress: @escaping @Sendable (Download.Progress) -> Void
    ) {
        self.target = target
        self.sink = sink
        self.loop = loop
        self.onProgress = onProgress
        limit = RateLimit(bytesPerSecond, startedAt: .now)
    }

    /// A location that fails is left for good sooner than in the server: behind the last of them there is the server.
    private static var policy: RelayPolicy {
        var policy = RelayPolicy()
        policy.revisits = 3
        policy.giveUpAfter = .seconds(15)
        // A limit of the rate may keep the relay waiting for long.
        policy.clientStallTimeout = .seconds(86_400)
        return policy
    }

    /// Reads what the file lacks. What comes is verified by the file, whose digest goes on from try to try.
    /// - Returns: what became of it; the file has every byte up to where it ended.
    /// - Throws: `ClientError` when the file can't be written.
    func run(_ sources: [RelaySource]) async throws -> RelaySummary {
        guard let rest = ByteRange(first: sink.size, last: target.size - 1) else {
            preconditionFailure("there is nothing to fetch")
        }
        let plan = RelayPlan(range: rest, of: target.size, candidates: sources.map { _ in .init() })
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { waiter in
                loop.enqueue {
                    self.waiter = waiter
                    self.loop.add(self)
                    let relay = Relay(
                        plan: plan, sources: sources, queueKey: .download(by: "", of: ""), identity: self.target.digest,
                        policy: Self.policy, loop: self.loop,
                        sink: self, observer: Unobserved())
                    self.relay = relay
                    relay.start()
                }
            }
        } onCancel: {
            loop.enqueue { self.relay?.clientGone() }
        }
    }

    func relayCommitted() {}

    func write(_ slabs: [ByteBuffer], taken: @escaping @Sendable (Int64?) -> Void) {
        for slab in slabs where failure == nil {
            let count = Int64(slab.readableBytes)
            do throws(ClientError) {
                try slab.withUnsafeReadableBytes { bytes throws(ClientError) in try sink.append(bytes) }
                limit.receive(count)
            } catch {
                failure = error
                return taken(nil)
            }
            if limit.isAhead(at: loop.now) { held.append { taken(count) } } else { taken(count) }
        }
    }

    func relayEnded(_ summary: RelaySummary) {
        loop.remove(self)
        relay = nil
        report()
        if let failure { waiter?.resume(throwing: failure) } else { waiter?.resume(returning: summary) }
        waiter = nil
    }

    func tick(_ now: ContinuousClock.Instant) {
        if now - lastReport >= .milliseconds(100) {
            lastReport = now
            report()
        }
        guard !held.isEmpty, !limit.isAhead(at: now) else { return }
        for release in held { release() }
        held = []
    }

    private func report() { onProgress(Download.Progress(done: sink.size, total: target.size)) }
}

/// Who learns of a location's behaviour in a client that reads it once: nobody.
private struct Unobserved: RelayObserver {
    func attemptBegan(in backend: BackendID) {}
    func attemptEnded(in backend: BackendID, _ measure: AttemptMeasure) {}
    func recordThroughput(_ bytesPerSecond: Double, in backend: BackendID) {}
    func bytesTaken(_ count: Int64, of backend: BackendID) {}
    func estimates(of sources: [RelaySource]) -> [ThroughputEstimate] { sources.map { _ in .unknown } }
    func locationFailed(_ location: LocationID, in backend: BackendID, _ failure: AttemptFailure) {}
    func locationServed(_ location: LocationID) {}
    func relayEnded(_ relay: Relay) {}
}
