import BackendKit
import CurlTransfer
import FaultyOrigin
import ImageModel
import Integrity
import LocationSelection
import NIOCore
import Synchronization
import TokenBackend
import Waiting

@testable import RelayEngine

/// A relay over real connections, and its outcome.
final class RelayRun: ResponseSink, RelayObserver {
    private struct State {
        var count: Int64 = 0
        var firstWrongByte: Int64?
        var callsAfterTheEnd = 0
        var summary: RelaySummary?
        var measures: [AttemptMeasure] = []
        var paces = 0
    }

    private let content: PatternedContent
    private let range: ByteRange?
    private let estimates: [ThroughputEstimate]
    private let state = Mutex(State())
    private let ends: AsyncStream<RelaySummary>
    private let end: AsyncStream<RelaySummary>.Continuation

    /// - Parameters:
    ///   - range: The requested range; nil for the whole.
    ///   - estimates: The estimates of the candidates; a candidate without one is unknown.
    init(of content: PatternedContent, range: ByteRange? = nil, estimates: [ThroughputEstimate] = []) {
        self.content = content
        self.range = range
        self.estimates = estimates
        (ends, end) = AsyncStream.makeStream(of: RelaySummary.self)
    }

    /// A stall timeout that a machine under load does not reach.
    static let patient: RelayPolicy = {
        var policy = RelayPolicy()
        policy.stallTimeout = .seconds(30)
        return policy
    }()

    /// Starts the relay, from these drivers in this order.
    func start(
        _ drivers: [any Driver], connections: ConnectionLimit? = nil, manifest: RelayManifest? = nil,
        making layout: ChunkLayout? = nil, policy: RelayPolicy = RelayRun.patient, on loop: TransferLoop
    ) -> Relay {
        let relay = relay(
            drivers, connections: connections, manifest: manifest, making: layout, policy: policy, on: loop)
        relay.start()
        return relay
    }

    /// The relay, from these drivers in this order.
    func relay(
        _ drivers: [any Driver], connections: ConnectionLimit? = nil, manifest: RelayManifest? = nil,
        making layout: ChunkLayout? = nil, policy: RelayPolicy = RelayRun.patient, on loop: TransferLoop
    ) -> Relay {
        let sources = drivers.map {
            RelaySource(
                location: LocationID(), backend: BackendID("b"), path: "image", driver: $0, connections: connections)
        }
        let candidates = drivers.map {
            RelayPlan.Candidate(maximumRange: $0.capabilities.maximumRange, timeout: connections?.timeout)
        }
        let plan =
            range.map { RelayPlan(range: $0, of: content.size, layout: manifest?.layout, candidates: candidates) }
            ?? RelayPlan(
                whole: content.size, verification: manifest.map { .chunks($0.layout) } ?? .digest, candidates: candidates)
        return Relay(
            plan: plan, sources: sources, queueKey: .download(by: "a test", of: "image"), identity: content.digest,
            manifest: manifest, making: layout, policy: policy, loop: loop, sink: self, observer: self)
    }

    /// How the relay ended; nil if it does not end in time, which is reported on standard error.
    func ended(file: String = #fileID, line: Int = #line) async -> RelaySummary? {
        do {
            return try await first(of: ends, "the end of the relay", file: file, line: line)
        } catch {
            (error as? WaitTimeout)?.report()
            return nil
        }
    }

    /// Whether exactly the content was delivered.
    var isExact: Bool { state.withLock { $0.count == range?.count ?? content.size && $0.firstWrongByte == nil } }
    /// The number of bytes that were delivered.
    var count: Int64 { state.withLock { $0.count } }
    /// The measures of its attempts.
    var measures: [AttemptMeasure] { state.withLock { $0.measures } }
    /// The number of rates that were recorded.
    var paces: Int { state.withLock { $0.paces } }
    /// The number of calls after the end.
    var callsAfterTheEnd: Int { state.withLock { $0.callsAfterTheEnd } }

    func relayCommitted() { noteCall() }

    func write(_ slabs: [ByteBuffer], delivered: @escaping @Sendable (Int64?) -> Void) {
        noteCall()
        state.withLock { state in
            for slab in slabs {
                let offset = (range?.first ?? 0) + state.count
                let difference = slab.withUnsafeReadableBytes { content.firstDifference(from: $0, at: offset) }
                if state.firstWrongByte == nil, let difference { state.firstWrongByte = offset + Int64(difference) }
                state.count += Int64(slab.readableBytes)
            }
        }
        for slab in slabs { delivered(Int64(slab.readableBytes)) }
    }

    func relayEnded(_ summary: RelaySummary) {
        noteCall()
        state.withLock { $0.summary = summary }
        end.yield(summary)
    }

    private func noteCall() { state.withLock { if $0.summary != nil { $0.callsAfterTheEnd += 1 } } }

    func attemptRequested(in backend: BackendID) {}
    func attemptEnded(in backend: BackendID, _ measure: AttemptMeasure) { state.withLock { $0.measures.append(measure) } }
    func recordBytes(_ count: Int64, of backend: BackendID) {}
    func recordThroughput(_ bytesPerSecond: Double, in backend: BackendID) { state.withLock { $0.paces += 1 } }
    func estimates(of sources: [RelaySource]) -> [ThroughputEstimate] {
        sources.indices.map { estimates.indices.contains($0) ? estimates[$0] : .unknown }
    }
    func locationFailed(_ location: LocationID, in backend: BackendID, _ failure: AttemptFailure) {}
    func locationServed(_ location: LocationID) {}
}

extension PatternedContent {
    /// The digests of its chunks.
    func manifest(_ layout: ChunkLayout) -> Manifest? {
        var builder = ManifestBuilder(layout)
        var offset: Int64 = 0
        while offset < size {
            offset += withBytes(at: offset, limit: Int(min(size - offset, 1 << 20))) { bytes in
                builder.update(bytes)
                return Int64(bytes.count)
            }
        }
        return builder.manifest
    }

    /// The digest that verifies the content.
    var digest: Digest {
        let stream = DigestStream(.sha256)
        var offset: Int64 = 0
        while offset < size {
            offset += withBytes(at: offset, limit: Int(min(size - offset, 1 << 20))) { bytes in
                stream.update(bytes)
                return Int64(bytes.count)
            }
        }
        return stream.finish()
    }
}
