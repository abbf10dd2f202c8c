import AdminContract
import BackendKit
import CurlTransfer
import FoundationEssentials
import ImageModel
import LocationSelection
import NIOCore
import RelayEngine

/// One relay from an image's direct locations into a file. It runs the server's failover in the client.
///
/// `@unchecked Sendable`: its state is touched on the transfer loop's thread only (checked by `preconditionOnLoop`).
final class DirectFetch: ResponseSink, Ticking, @unchecked Sendable {
    /// What a fetch is doing.
    private enum State {
        /// Not started. Goes to: relaying, over.
        case idle
        /// The relay runs. Goes to: failed, over.
        case relaying(Relay, Waiter)
        /// The file can't be written, and the relay is ending. Goes to: over.
        case failed(ClientError, Waiter)
        /// Ended, or cancelled before it started. Final.
        case over
    }

    private typealias Waiter = CheckedContinuation<RelaySummary, any Error>

    private let target: DownloadTarget
    private let sink: any DownloadSink
    private let loop: TransferLoop
    private let onProgress: @Sendable (Download.Progress) -> Void
    private var limit: RateLimit
    private var state = State.idle
    /// The relay's continuations while more bytes have arrived than the rate limit allows.
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

    /// The policy gives up on a location sooner than the server does, since the server is the fallback.
    private static var policy: RelayPolicy {
        var policy = RelayPolicy()
        policy.revisits = 3
        policy.giveUpAfter = .seconds(15)
        // A rate limit may keep the relay waiting for long.
        policy.clientStallTimeout = .seconds(86_400)
        return policy
    }

    /// Reads what the file lacks. The file verifies the bytes; its digest continues from attempt to attempt.
    /// - Returns: the outcome; the file has every byte up to where the relay ended.
    /// - Throws: `ClientError` if the file can't be written.
    func run(_ sources: [RelaySource]) async throws -> RelaySummary {
        guard let rest = ByteRange(first: sink.size, last: target.size - 1) else {
            preconditionFailure("there is nothing to fetch")
        }
        let plan = RelayPlan(range: rest, of: target.size, candidates: sources.map { _ in .init() })
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { waiter in
                loop.enqueue {
                    if case .over = self.state { return waiter.resume(throwing: CancellationError()) }
                    self.loop.add(self)
                    let relay = Relay(
                        plan: plan, sources: sources, queueKey: .download(by: "", of: ""), identity: self.target.digest,
                        policy: Self.policy, loop: self.loop,
                        sink: self, observer: Unobserved())
                    self.state = .relaying(relay, waiter)
                    relay.start()
                }
            }
        } onCancel: {
            loop.enqueue { self.cancel() }
        }
    }

    private func cancel() {
        switch state {
        case .idle: state = .over
        case .relaying(let relay, _): relay.clientGone()
        case .failed, .over: break
        }
    }

    func relayCommitted() {}

    func write(_ slabs: [ByteBuffer], delivered: @escaping @Sendable (Int64?) -> Void) {
        guard case .relaying(_, let waiter) = state else { return }
        for slab in slabs {
            let count = Int64(slab.readableBytes)
            do throws(ClientError) {
                try slab.withUnsafeReadableBytes { bytes throws(ClientError) in try sink.append(bytes) }
                limit.receive(count)
            } catch {
                state = .failed(error, waiter)
                return delivered(nil)
            }
            if limit.isAhead(at: loop.now) { held.append { delivered(count) } } else { delivered(count) }
        }
    }

    func relayEnded(_ summary: RelaySummary) {
        let ended = state
        state = .over
        loop.remove(self)
        report()
        switch ended {
        case .relaying(_, let waiter): waiter.resume(returning: summary)
        case .failed(let failure, let waiter): waiter.resume(throwing: failure)
        case .idle, .over: break
        }
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

/// An observer that discards what a one-time client observes of a location.
private struct Unobserved: RelayObserver {
    func attemptRequested(in backend: BackendID) {}
    func attemptEnded(in backend: BackendID, _ measure: AttemptMeasure) {}
    func recordThroughput(_ bytesPerSecond: Double, in backend: BackendID) {}
    func recordBytes(_ count: Int64, of backend: BackendID) {}
    func estimates(of sources: [RelaySource]) -> [ThroughputEstimate] { sources.map { _ in .unknown } }
    func locationFailed(_ location: LocationID, in backend: BackendID, _ failure: AttemptFailure) {}
    func locationServed(_ location: LocationID) {}
}

extension DirectDocument {
    /// The locations as sources of a relay.
    var sources: [RelaySource] {
        locations.map { location in
            RelaySource(
                location: LocationID(location.location) ?? LocationID(), backend: BackendID(location.backend), path: "",
                driver: DirectDriver(url: location.url))
        }
    }

    /// Whether the document describes the content that this download began with.
    func isAbout(_ target: DownloadTarget) -> Bool { size == target.size && digest == target.digest.description }
}

extension Endpoint {
    /// Fetches the direct locations of an image.
    /// - Parameter query: further parameters of the request, each encoded, e.g. `disk_format=raw`.
    /// - Throws: `ClientError`; of the kind `refused` with status 403 if this client is not trusted.
    func directLocations(of image: ImageID, query: [String]) async throws -> DirectDocument {
        let path = AdminPath.direct(image) + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
        return try await send("GET", path).decoded(as: DirectDocument.self)
    }
}

/// Reads one object at a direct URL. It sends no credentials: the URL contains what grants access.
struct DirectDriver: Driver {
    let url: String

    let capabilities = Capabilities()

    func transferRequest(for read: ReadRequest) -> TransferRequest {
        TransferRequest(
            source: .url(url), range: read.range.map { $0.first...$0.last }, headers: [UserAgent.field],
            connectTimeout: .seconds(10), isFresh: read.isFresh)
    }

    func inspect(_ head: ResponseHead, of read: ReadRequest) -> Result<ObjectHead, AttemptFailure> {
        RangedAnswer(head).object(for: read)
    }
}
