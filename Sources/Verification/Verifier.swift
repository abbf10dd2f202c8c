package import BackendKit
package import CurlTransfer
import FoundationEssentials
package import ImageCatalog
package import ImageModel
package import LocationLifecycle
package import Logging
import Synchronization
package import Telemetry

/// Verifies locations by full reads of each alone, repeated if needed, and applies the consequences to it and to its peers.
package final class Verifier: Sendable {
    /// The result of a verification; its label is used in metrics.
    package enum Result: Sendable, Equatable {
        /// The content is the declared one, or its digests were computed.
        case matched
        /// Two reads found another content, or the format is not acceptable: the location is quarantined.
        case quarantined
        /// Other locations have the same wrong content: the declaration is in conflict.
        case digestConflict
        /// The reads contradict each other, or too many locations of the backend were quarantined recently.
        case undecided
        /// The location could not be read.
        case unreadable(AttemptFailure)
        /// The read was cancelled; its progress is kept.
        case cancelled
        /// The status does not allow a read, or one is running.
        case skipped
    }

    /// The settings that can change while the server runs; they apply to reads that begin afterwards.
    package struct Settings: Sendable {
        /// The longest time without a byte.
        package var stallTimeout: Duration
        /// Whether a location is quarantined if its bytes do not have the declared format, or refer to other files.
        package var isInspectingFormat: Bool
        /// The largest object, in bytes, whose size was not declared.
        package var sizeLimit: Int64

        package init(stallTimeout: Duration, isInspectingFormat: Bool = true, sizeLimit: Int64 = .max) {
            self.stallTimeout = stallTimeout
            self.isInspectingFormat = isInspectingFormat
            self.sizeLimit = sizeLimit
        }
    }

    let catalog: any Catalog
    let statusChanges: LocationStatusChanges
    let schedule: ReadSchedule
    let logger: Logger
    let registry: BackendRegistry
    let loop: TransferLoop
    let chunkSize: Int64
    private let current: Mutex<Settings>
    private let verifications: Counter
    private let limit = Mutex(QuarantineLimit())
    /// The limit on quarantines because of the format, which are not evidence against a backend.
    private let refusalLimit = Mutex(QuarantineLimit())

    /// The interval in which a read's progress is saved.
    static let checkpointInterval: Duration = .seconds(2)

    /// - Parameters:
    ///   - loop: the loop that reads and digests; preferably one without downloads.
    ///   - chunkSize: the chunk size in bytes of the manifests that reads build.
    ///   - metrics: the registry of the verifications' counter.
    package init(
        catalog: any Catalog, statusChanges: LocationStatusChanges, schedule: ReadSchedule, registry: BackendRegistry,
        loop: TransferLoop, settings: Settings, chunkSize: Int64 = ChunkLayout.defaultChunkSize,
        metrics: MetricsRegistry, logger: Logger
    ) {
        self.catalog = catalog
        self.statusChanges = statusChanges
        self.schedule = schedule
        self.registry = registry
        self.loop = loop
        self.chunkSize = chunkSize
        current = Mutex(settings)
        self.logger = logger
        verifications = metrics.counter(
            "baton_verifications_total", "Full reads of single locations, by result.", labels: ["result"])
    }

    /// The settings of reads that begin now.
    package var settings: Settings {
        get { current.withLock { $0 } }
        set { current.withLock { $0 = newValue } }
    }

    /// Verifies one location.
    /// - Throws: `CatalogError`.
    package func verify(_ id: LocationID, pace: ReadRateLimiter) async throws -> Result {
        let result = try await statusChanges.reads.run(id) { try await self.readAndDecide(id, pace) } ?? .skipped
        verifications.add(1, result.label)
        return result
    }

    private func readAndDecide(_ id: LocationID, _ pace: ReadRateLimiter) async throws -> Result {
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
            // No declaration attests that these are the stored bytes: another read has to find the same.
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
                // The corroborating locations are determined now, since they may have changed during a long read.
                let others =
                    suspect == .unsettled ? [] : try await readOthers(of: location, try await self.subject(of: location), pace)
                return try await carryOut(Attribution(suspect: suspect, others: others), on: location, found: first)
            }
        }
    }

    /// Takes the location out of service for the read if its status requires that; nil if it is not to be read.
    private func takeOut(_ location: Location, _ subject: Subject) async throws -> Location? {
        switch location.state.status {
        case .pending, .quarantined:
            return try await statusChanges.apply(.verify, to: location, actor: "baton", reason: "it is read in full")
        case .active where location.isSuspect:
            // A manifest keeps wrong bytes from being sent, and this location, ranked last, may be the only one that can serve.
            guard subject.manifest == nil else { return location }
            do {
                return try await statusChanges.apply(
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
    /// The label in metrics.
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
