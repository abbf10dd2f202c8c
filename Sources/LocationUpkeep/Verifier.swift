package import BackendKit
package import CurlTransfer
import FoundationEssentials
package import ImageCatalog
package import ImageModel
package import Logging
import Synchronization
package import Telemetry

/// Reads a location alone and in full, twice if need be, and settles what that means for it and for those beside it.
package final class Verifier: Sendable {
    /// What a verification found out.
    package enum Result: Sendable, Equatable {
        /// The content is the declared one, or was computed.
        case matched
        /// The content is another one, in two reads, or its format is not acceptable: it is quarantined.
        case quarantined
        /// Others have the same wrong content: what was declared is in conflict.
        case digestConflict
        /// Its reads contradict each other, or too many of its backend were quarantined lately.
        case undecided
        /// It could not be read.
        case unreadable(AttemptFailure)
        /// Cut off half-way; what was read is kept.
        case cancelled
        /// Its status does not allow a read, or one is under way.
        case skipped
    }

    /// What can change while the server runs, for reads that begin afterwards.
    package struct Settings: Sendable {
        /// How long no byte may come.
        package var stallTimeout: Duration
        /// Whether a location is quarantined whose bytes are not of its declared format, or refer to other files.
        package var inspectsFormat: Bool
        /// The most bytes of an object whose size nobody declared.
        package var sizeLimit: Int64

        /// Settings with each value given.
        package init(stallTimeout: Duration, inspectsFormat: Bool = true, sizeLimit: Int64 = .max) {
            self.stallTimeout = stallTimeout
            self.inspectsFormat = inspectsFormat
            self.sizeLimit = sizeLimit
        }
    }

    let catalog: any CatalogStore
    let lifecycle: LocationLifecycle
    let schedule: ReadSchedule
    let logger: Logger
    let registry: BackendRegistry
    let loop: TransferLoop
    let chunkSize: Int64
    private let current: Mutex<Settings>
    private let verifications: Counter
    private let limit = Mutex(QuarantineLimit())
    /// For what is taken out for its format, which says nothing against a backend.
    private let refusalLimit = Mutex(QuarantineLimit())

    /// How often a long read's progress is written down.
    static let checkpointInterval: Duration = .seconds(2)

    /// - Parameters:
    ///   - loop: whose thread reads and computes; best one that downloads don't use.
    ///   - chunkSize: of the manifests that reads make, in bytes.
    ///   - metrics: where verifications are counted.
    package init(
        catalog: any CatalogStore, lifecycle: LocationLifecycle, schedule: ReadSchedule, registry: BackendRegistry,
        loop: TransferLoop, settings: Settings, chunkSize: Int64 = ChunkLayout.defaultChunkSize,
        metrics: MetricsRegistry, logger: Logger
    ) {
        self.catalog = catalog
        self.lifecycle = lifecycle
        self.schedule = schedule
        self.registry = registry
        self.loop = loop
        self.chunkSize = chunkSize
        current = Mutex(settings)
        self.logger = logger
        verifications = metrics.counter(
            "baton_verifications_total", "Locations read in full and alone, by what that told.", labels: ["result"])
    }

    /// What reads that begin now go by.
    package var settings: Settings {
        get { current.withLock { $0 } }
        set { current.withLock { $0 = newValue } }
    }

    /// Verifies one location.
    /// - Throws: `CatalogError`.
    package func verify(_ id: LocationID, pace: ReadRateLimiter) async throws -> Result {
        let result = try await lifecycle.reads.run(id) { try await self.judge(id, pace) }
        verifications.add(1, result.label)
        return result
    }

    private func judge(_ id: LocationID, _ pace: ReadRateLimiter) async throws -> Result {
        guard let known = try await catalog.location(id) else { return .skipped }
        let subject = try await subject(of: known)
        guard let location = try await takeOut(known, subject) else { return .skipped }
        switch try await read(location, subject, isFresh: false, pace) {
        case .matched(let content, let manifest):
            guard content.isSizeStated || isDeclared(location, subject) else {
                return try await confirm(content, manifest, of: location, subject, pace)
            }
            return try await matched(location, content, manifest)
        case .unread(let failure): return try await unreadable(location, failure)
        case .cancelled: return .cancelled
        case .unfit(let refusal, isAttested: true): return try await refuse(location, refusal)
        case .unfit:
            // Nothing says that these are the bytes that are stored: another read has to find the same.
            switch try await read(location, subject, isFresh: true, pace) {
            case .matched(let content, _): return try await matched(location, content, nil)
            case .unfit(let refusal, _): return try await refuse(location, refusal)
            case .other: return try await contradicted(location)
            case .unread(let failure): return try await unreadable(location, failure)
            case .cancelled: return .cancelled
            }
        case .other(let first):
            switch try await read(location, subject, isFresh: true, pace) {
            case .matched(let content, _):
                logger.warning(
                    "verification.corrupted_in_flight: The first read of a location was corrupt and the second was not. The network or the backend corrupts data in flight.",
                    metadata: metadata(of: location))
                return try await matched(location, content, nil)
            case .unfit(let refusal, _): return try await refuse(location, refusal)
            case .unread(let failure): return try await unreadable(location, failure)
            case .cancelled: return .cancelled
            case .other(let second):
                let suspect: Attribution.Reading = second == first ? .other(first) : .unsettled
                // Who can corroborate is asked now: a long read may have outlasted what was true when it began.
                let others =
                    suspect == .unsettled ? [] : try await readOthers(of: location, try await self.subject(of: location), pace)
                return try await carryOut(Attribution(suspect: suspect, others: others), on: location, found: first)
            }
        }
    }

    /// Takes the location out of service for the read, where its status wants that; nil if it is not to be read.
    private func takeOut(_ location: Location, _ subject: Subject) async throws -> Location? {
        switch location.state.status {
        case .pending, .quarantined:
            return try await lifecycle.apply(.verify, to: location, actor: "baton", reason: "it is read in full")
        case .active where location.isSuspect:
            // Where chunks are verified it can do no harm, and may be the only one that can serve; it ranks last.
            guard subject.manifest == nil else { return location }
            do {
                return try await lifecycle.apply(
                    .suspect, to: location, actor: "baton", reason: "it contributed to a download that did not match")
            } catch CatalogError.lastActive {
                return location
            }
        case .active, .verifying: return location
        case .disabled, .pendingDelete, .deleted: return nil
        }
    }

    func allowsQuarantine(on backend: BackendID) -> Bool { limit.withLock { $0.allows(backend, at: .now) } }

    func allowsRefusal(on backend: BackendID) -> Bool { refusalLimit.withLock { $0.allows(backend, at: .now) } }

    func metadata(of location: Location) -> Logger.Metadata {
        ["location": "\(location.id)", "backend": "\(location.backend)", "image": "\(location.image)"]
    }
}

extension Verifier.Result {
    /// As a metric names it.
    fileprivate var label: String {
        switch self {
        case .matched: "matched"
        case .quarantined: "quarantined"
        case .digestConflict: "digest_conflict"
        case .undecided: "undecided"
        case .unreadable: "unreadable"
        case .cancelled: "cancelled"
        case .skipped: "skipped"
        }
    }
}
