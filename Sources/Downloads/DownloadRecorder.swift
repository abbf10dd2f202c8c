import BackendKit
import FoundationEssentials
package import ImageCatalog
package import ImageModel
import Integrity
package import Logging
package import RelayEngine
package import Verification

/// The context of a download, for the recorder.
package struct DownloadRecord: Sendable {
    /// The delivered representation.
    package let representation: Representation
    /// The delivered range; nil for the whole.
    package let range: ByteRange?
    /// Whether the client requested a range that could not be verified, and received the whole.
    package let isRangeIgnored: Bool
    /// The manifest that verified the chunks; nil if there was none.
    package let manifest: StoredManifest?
    /// The locations at the start of the download.
    package let locations: [Location]
    /// The ticket that suppresses ranges after an unverified delivery; nil if the locations were read in full before.
    package let deliveryTicket: UnverifiedDeliveries.Ticket?

    package init(
        representation: Representation, range: ByteRange?, isRangeIgnored: Bool = false, manifest: StoredManifest? = nil,
        locations: [Location], deliveryTicket: UnverifiedDeliveries.Ticket? = nil
    ) {
        self.representation = representation
        self.range = range
        self.isRangeIgnored = isRangeIgnored
        self.manifest = manifest
        self.locations = locations
        self.deliveryTicket = deliveryTicket
    }
}

/// Records the results of downloads: verifications and failed verifications in the catalog, and one line in the log.
package struct DownloadRecorder: Sendable {
    private let catalog: any Catalog
    private let verifications: VerificationQueue
    private let holds: PendingIntegrityHolds
    private let deliveries: UnverifiedDeliveries
    private let metrics: DownloadMetrics

    /// The age in seconds below which a verification is not recorded again.
    private static let verificationAge: TimeInterval = 3600

    /// - Parameters:
    ///   - verifications: the queue for reads of locations that a download leaves uncertain.
    ///   - holds: keeps a failed verification until the catalog has recorded it.
    ///   - deliveries: the downloads that have sent unverified bytes.
    ///   - metrics: the metrics of downloads.
    package init(
        catalog: any Catalog, verifications: VerificationQueue, holds: PendingIntegrityHolds,
        deliveries: UnverifiedDeliveries, metrics: DownloadMetrics
    ) {
        self.catalog = catalog
        self.verifications = verifications
        self.holds = holds
        self.deliveries = deliveries
        self.metrics = metrics
    }

    /// Records one download. A failure of the catalog is logged and does not affect the download.
    package func record(_ summary: RelaySummary, of record: DownloadRecord, logger: Logger) async {
        metrics.record(summary)
        // In a separate task: the request's task may be cancelled, and the catalog would then refuse to write.
        await Task { await write(summary, record, logger) }.value
        // Whether or not the write succeeded, but only after it, so that the read finds the suspects in the catalog.
        for contributors in summary.mismatches { queueReads(of: contributors, record) }
        for rejected in summary.rejectedChunks { queueReads(of: rejected.contributors, record) }
        if record.range != nil || record.isRangeIgnored { queueVerifications(of: summary, record) }
        endUnverifiedDelivery(summary, record)
        queueReadsOfChangedObjects(summary, record)
        reportContradiction(by: summary.contradictors, record, logger)
        log(summary, record, logger)
    }

    /// Queues reads of single contributors to wrong bytes. A location that was suspect before and could not be settled has a
    /// scheduled read.
    private func queueReads(of contributors: [LocationID], _ record: DownloadRecord) {
        for contributor in contributors {
            let known = record.locations.first { $0.id == contributor }
            if let known, known.isSuspect, known.isReadLater { continue }
            verifications.enqueue(contributor)
        }
    }

    /// Writes each kind of result; a failure of one does not prevent the next.
    private func write(_ summary: RelaySummary, _ record: DownloadRecord, _ logger: Logger) async {
        func attempt(_ change: () async throws -> Void) async {
            do {
                try await change()
            } catch {
                logger.error(
                    "catalog.record_failed: The result of a download could not be recorded in the catalog.",
                    metadata: ["error": "\(error)"])
            }
        }
        for contributors in summary.mismatches { await attempt { try await recordIntegrityHold(contributors, record, logger) } }
        for rejected in summary.rejectedChunks { await attempt { try await recordRejectedChunks(rejected, record, logger) } }
        if let (location, validator) = summary.verifiedAlone {
            await attempt { try await recordVerification(location, validator, record) }
        }
        if let manifest = summary.manifest { await attempt { try await keep(manifest, record) } }
    }

    private func recordIntegrityHold(_ contributors: [LocationID], _ record: DownloadRecord, _ logger: Logger) async throws {
        let representation = record.representation
        logger.error(
            "representation.integrity_hold: The bytes of an image did not match its digest. Its representation is on integrity hold.",
            metadata: [
                "image": "\(representation.image)", "format": "\(representation.format)",
                "locations": .array(contributors.map { "\($0)" }),
            ])
        try await holds.write(holds.hold(representation.name, contributors: contributors))
    }

    /// Records a rejected chunk. None of its bytes was sent, so only its contributors become suspects and there is no hold.
    private func recordRejectedChunks(
        _ rejected: RelaySummary.RejectedChunks, _ record: DownloadRecord, _ logger: Logger
    ) async throws {
        logger.error(
            "location.suspect: Chunks did not match their digests and were fetched again. The locations that served them will be read alone.",
            metadata: [
                "image": "\(record.representation.image)", "chunk_at": .stringConvertible(rejected.start),
                "chunks": .stringConvertible(rejected.count),
                "locations": .array(rejected.contributors.map { "\($0)" }),
            ])
        try await catalog.recordRejectedChunk(
            by: rejected.contributors, at: .now, actor: "baton",
            reason: "the chunk at byte \(rejected.start) did not match its digest in a download")
    }

    /// Reports that two locations agree with each other against the manifest, which is then in question. The manifest is kept
    /// until reads have settled which is wrong: as long as it exists, no wrong byte is sent.
    private func reportContradiction(by locations: [LocationID], _ record: DownloadRecord, _ logger: Logger) {
        guard !locations.isEmpty else { return }
        logger.critical(
            "manifest.conflict: Locations agree with each other against an image's manifest. Each will be read alone.",
            metadata: ["image": "\(record.representation.image)", "locations": .array(locations.map { "\($0)" })])
    }

    private func keep(_ manifest: Manifest, _ record: DownloadRecord) async throws {
        _ = try await catalog.addManifest(manifest.layout, pages: manifest.pages, of: record.representation, at: .now)
    }

    /// Records only changes, so that an uneventful download costs no transaction.
    private func recordVerification(_ id: LocationID, _ validator: Validator?, _ record: DownloadRecord) async throws {
        guard let known = record.locations.first(where: { $0.id == id }) else { return }
        let isOld = known.verifiedAt.map { Date.now.timeIntervalSince($0) > Self.verificationAge } ?? true
        let isStale = isOld || known.isSuspect || (validator != nil && known.validator != validator)
        if isStale { try await catalog.recordVerification(of: id, validator: validator, at: .now) }
    }

    private func queueVerifications(of summary: RelaySummary, _ record: DownloadRecord) {
        for part in summary.parts {
            guard let location = record.locations.first(where: { $0.id == part.location }), location.verifiedAt == nil,
                !location.isReadLater
            else { continue }
            verifications.enqueue(location.id)
        }
        // A client that only requests ranges would never have one verified: a full read of one location builds the manifest.
        guard record.manifest == nil, summary.manifest == nil, !record.representation.hasDigestConflict,
            let first = summary.parts.first,
            let location = record.locations.first(where: { $0.id == first.location }), !location.isReadLater
        else { return }
        verifications.enqueue(location.id)
    }

    /// Handles a whole download that ended before it was verified: its contributors are read, so that ranges can be served
    /// again.
    private func endUnverifiedDelivery(_ summary: RelaySummary, _ record: DownloadRecord) {
        guard let ticket = record.deliveryTicket else { return }
        let isVerified = summary.digest == record.representation.identity
        let leavesNothingUnverified = summary.outcome == .finished || summary.outcome == .refused || isVerified
        let neverRead = deliveries.end(
            ticket, contributors: leavesNothingUnverified ? [] : summary.parts.map(\.location), at: .now)
        for location in Set(neverRead) { enqueueUnlessLater(location, record) }
    }

    /// Queues reads of objects that have changed since they were read, as required before they serve ranges again.
    private func queueReadsOfChangedObjects(_ summary: RelaySummary, _ record: DownloadRecord) {
        let changed = summary.failures.filter { $0.failure.reason == .validatorChanged }.map(\.location)
        for location in Set(changed) { enqueueUnlessLater(location, record) }
    }

    private func enqueueUnlessLater(_ id: LocationID, _ record: DownloadRecord) {
        guard let location = record.locations.first(where: { $0.id == id }), !location.isReadLater else { return }
        verifications.enqueue(id)
    }

    private func log(_ summary: RelaySummary, _ record: DownloadRecord, _ logger: Logger) {
        var metadata: Logger.Metadata = [
            "image": "\(record.representation.image)", "outcome": "\(summary.outcome.rawValue)",
            "served": .array(summary.parts.map { "\($0.backend) \($0.first)-\($0.last)" }),
            // Entries of one backend are consecutive: a backend may have several locations of an image.
            "locations": .array(summary.parts.map { "\($0.location)" }),
        ]
        if let range = record.range { metadata["range"] = "\(range)" }
        if !summary.failovers.isEmpty { metadata["moves"] = .array(summary.failovers.map { "\($0.line)" }) }
        if !summary.failures.isEmpty {
            metadata["failures"] = .array(summary.failures.map { "\($0.line)" })
            metadata["failed_locations"] = .array(summary.failures.map { "\($0.location)" })
        }
        if !summary.rejectedChunks.isEmpty {
            metadata["rejected_chunks"] = .array(summary.rejectedChunks.map { "\($0.line)" })
        }
        if summary.extraBytes > 0 { metadata["extra_bytes"] = .stringConvertible(summary.extraBytes) }
        if let digest = summary.digest { metadata["digest"] = "\(digest)" }
        let level: Logger.Level = summary.outcome == .finished || summary.outcome == .clientGone ? .info : .warning
        logger.log(level: level, "download.finished", metadata: metadata)
    }
}

extension RelaySummary.Failure {
    /// One failure: `north reset: the connection broke`, or `north reset: the connection broke (40 times)`.
    fileprivate var line: String { "\(backend) \(failure)" + (count == 1 ? "" : " (\(count) times)") }
}

extension RelaySummary.RejectedChunks {
    /// One entry: `at byte 2097152`, or `at byte 2097152 and 3 more`.
    fileprivate var line: String { count == 1 ? "at byte \(start)" : "at byte \(start) and \(count - 1) more" }
}

extension RelaySummary.Failover {
    /// One failover: `north → south at byte 26214400 after 3.2 ms (reset)`.
    fileprivate var line: String {
        let milliseconds = (gap / .microseconds(1)).rounded() / 1000
        return "\(from) → \(to) at byte \(offset) after \(milliseconds) ms (\(cause.reason.rawValue))"
    }
}

extension Location {
    /// Whether its next read is scheduled for later, after a recent failure.
    fileprivate var isReadLater: Bool { nextReadAt.map { $0 > .now } ?? false }
}
