import BackendKit
import FoundationEssentials
package import ImageCatalog
package import ImageModel
import Integrity
package import Logging
package import RelayEngine

/// What a relay was about, for the recorder.
package struct RelayRecord: Sendable {
    /// What was delivered.
    package let representation: Representation
    /// Which part of it; nil for the whole.
    package let range: ByteRange?
    /// Whether the client asked for a range, which could not be verified, and was sent the whole.
    package let ignoresRange: Bool
    /// The manifest that its chunks were verified by.
    package let manifest: StoredManifest?
    /// The locations as they were when the relay began.
    package let locations: [Location]
    /// What keeps ranges from completing what it leaves unverified; nil where its locations were read in full before.
    package let unverified: UnverifiedDeliveries.Ticket?

    /// A record with every property given.
    package init(
        representation: Representation, range: ByteRange?, ignoresRange: Bool = false, manifest: StoredManifest? = nil,
        locations: [Location], unverified: UnverifiedDeliveries.Ticket? = nil
    ) {
        self.representation = representation
        self.range = range
        self.ignoresRange = ignoresRange
        self.unverified = unverified
        self.manifest = manifest
        self.locations = locations
    }
}

/// Writes down what relays found out: verifications and failed verifications in the catalog, and one line in the log.
package struct DownloadRecorder: Sendable {
    private let catalog: any CatalogStore
    private let verifications: VerificationQueue
    private let holds: PendingIntegrityHolds
    private let metrics: DownloadMetrics

    /// A verification younger than that (in seconds) is not written down again.
    private static let verificationAge: TimeInterval = 3600

    /// - Parameters:
    ///   - verifications: who reads the locations that a relay leaves questions about.
    ///   - holds: what keeps a failed verification until the catalog has it.
    ///   - metrics: where they are counted.
    package init(
        catalog: any CatalogStore, verifications: VerificationQueue, holds: PendingIntegrityHolds, metrics: DownloadMetrics
    ) {
        self.catalog = catalog
        self.verifications = verifications
        self.holds = holds
        self.metrics = metrics
    }

    /// Records one relay. A catalog that fails is logged; the download was what it was.
    package func record(_ summary: RelaySummary, of record: RelayRecord, logger: Logger) async {
        metrics.record(summary)
        // In a task of its own: the request's may be cancelled, and the catalog would not listen to it any more.
        await Task { await write(summary, record, logger) }.value
        // Whether or not that could be written: but not before, so that the read knows whom it is about.
        for contributors in summary.mismatches { queueReads(of: contributors, record) }
        for rejection in summary.rejections { queueReads(of: rejection.contributors, record) }
        if record.range != nil || record.ignoresRange { queueVerifications(of: summary, record) }
        settleUnverified(summary, record)
        queueReadsOfChangedObjects(summary, record)
        reportContradiction(by: summary.contradictors, record, logger)
        log(summary, record, logger)
    }

    /// Has contributors to wrong bytes read alone. Who was suspect before and could not be judged has a date for that.
    private func queueReads(of contributors: [LocationID], _ record: RelayRecord) {
        for contributor in contributors {
            let known = record.locations.first { $0.id == contributor }
            if let known, known.isSuspect, known.isReadLater { continue }
            verifications.enqueue(contributor)
        }
    }

    /// What the catalog does not take of one kind does not keep it from the next.
    private func write(_ summary: RelaySummary, _ record: RelayRecord, _ logger: Logger) async {
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
        for rejection in summary.rejections { await attempt { try await recordRejection(rejection, record, logger) } }
        if let (location, validator) = summary.verifiedAlone {
            await attempt { try await recordVerification(location, validator, record) }
        }
        if let manifest = summary.manifest { await attempt { try await keep(manifest, record) } }
    }

    private func recordIntegrityHold(_ contributors: [LocationID], _ record: RelayRecord, _ logger: Logger) async throws {
        let representation = record.representation
        logger.error(
            "representation.integrity_hold: The bytes of an image did not match its digest. Its representation is on integrity hold.",
            metadata: [
                "image": "\(representation.image)", "format": "\(representation.format)",
                "locations": .array(contributors.map { "\($0)" }),
            ])
        try await holds.write(holds.hold(representation.name, contributors: contributors))
    }

    /// None of these bytes has left: nothing is on integrity hold but who gave them.
    private func recordRejection(
        _ rejection: RelaySummary.Rejection, _ record: RelayRecord, _ logger: Logger
    ) async throws {
        logger.error(
            "location.suspect: Chunks did not match their digests and were fetched again. The locations that served them will be read alone.",
            metadata: [
                "image": "\(record.representation.image)", "chunk_at": .stringConvertible(rejection.start),
                "chunks": .stringConvertible(rejection.count),
                "locations": .array(rejection.contributors.map { "\($0)" }),
            ])
        try await catalog.recordRejectedChunk(
            by: rejection.contributors, at: .now, actor: "baton",
            reason: "the chunk at byte \(rejection.start) did not have its digest in a download")
    }

    /// Two locations agree with each other and none with the manifest: it is what can't be trusted.
    /// It stays until their reads have told who is wrong, since nothing wrong leaves as long as it is there.
    private func reportContradiction(by locations: [LocationID], _ record: RelayRecord, _ logger: Logger) {
        guard !locations.isEmpty else { return }
        logger.critical(
            "manifest.conflict: Locations agree with each other against an image's manifest. Each will be read alone.",
            metadata: ["image": "\(record.representation.image)", "locations": .array(locations.map { "\($0)" })])
    }

    private func keep(_ manifest: Manifest, _ record: RelayRecord) async throws {
        _ = try await catalog.addManifest(manifest.layout, pages: manifest.pages, of: record.representation, at: .now)
    }

    /// Writes only what is news, so that a download that goes well costs no transaction.
    private func recordVerification(_ id: LocationID, _ validator: Validator?, _ record: RelayRecord) async throws {
        guard let known = record.locations.first(where: { $0.id == id }) else { return }
        let isOld = known.verifiedAt.map { Date.now.timeIntervalSince($0) > Self.verificationAge } ?? true
        let isStale = isOld || known.isSuspect || (validator != nil && known.validator != validator)
        if isStale { try await catalog.recordVerification(of: id, validator: validator, at: .now) }
    }

    private func queueVerifications(of summary: RelaySummary, _ record: RelayRecord) {
        for part in summary.parts {
            guard let location = record.locations.first(where: { $0.id == part.location }), location.verifiedAt == nil,
                !location.isReadLater
            else { continue }
            verifications.enqueue(location.id)
        }
        // A client that only ever asks for ranges would never have one verified: the read of one location makes the manifest.
        guard record.manifest == nil, summary.manifest == nil, !record.representation.hasDigestConflict,
            let first = summary.parts.first,
            let location = record.locations.first(where: { $0.id == first.location }), !location.isReadLater
        else { return }
        verifications.enqueue(location.id)
    }

    /// A whole that broke off before anything verified it: whoever gave its bytes is read, so that ranges can be served again.
    private func settleUnverified(_ summary: RelaySummary, _ record: RelayRecord) {
        guard let ticket = record.unverified else { return }
        let isVerified = summary.digest == record.representation.identity
        let nothingLeft = summary.outcome == .finished || summary.outcome == .refused || isVerified
        let unverified = holds.unverified.end(
            ticket, contributors: nothingLeft ? [] : summary.parts.map(\.location), at: .now)
        for location in Set(unverified) { enqueueUnlessLater(location, record) }
    }

    /// An object that is not the one that was read any more has to be read before ranges come from it again.
    private func queueReadsOfChangedObjects(_ summary: RelaySummary, _ record: RelayRecord) {
        let changed = summary.failures.filter { $0.failure.reason == .validatorChanged }.map(\.location)
        for location in Set(changed) { enqueueUnlessLater(location, record) }
    }

    private func enqueueUnlessLater(_ id: LocationID, _ record: RelayRecord) {
        guard let location = record.locations.first(where: { $0.id == id }), !location.isReadLater else { return }
        verifications.enqueue(id)
    }

    private func log(_ summary: RelaySummary, _ record: RelayRecord, _ logger: Logger) {
        var metadata: Logger.Metadata = [
            "image": "\(record.representation.image)", "outcome": "\(summary.outcome.rawValue)",
            "served": .array(summary.parts.map { "\($0.backend) \($0.first)-\($0.last)" }),
            // One after the other for the same: a backend may have several locations of an image.
            "locations": .array(summary.parts.map { "\($0.location)" }),
        ]
        if let range = record.range { metadata["range"] = "\(range)" }
        if !summary.moves.isEmpty { metadata["moves"] = .array(summary.moves.map { "\($0.line)" }) }
        if !summary.failures.isEmpty {
            metadata["failures"] = .array(summary.failures.map { "\($0.line)" })
            metadata["failed_locations"] = .array(summary.failures.map { "\($0.location)" })
        }
        if !summary.rejections.isEmpty {
            metadata["rejected_chunks"] = .array(summary.rejections.map { "\($0.line)" })
        }
        if summary.extraBytes > 0 { metadata["extra_bytes"] = .stringConvertible(summary.extraBytes) }
        if let digest = summary.digest { metadata["digest"] = "\(digest)" }
        let level: Logger.Level = summary.outcome == .finished || summary.outcome == .clientGone ? .info : .warning
        logger.log(level: level, "download.finished", metadata: metadata)
    }
}

extension RelaySummary.Failure {
    /// `north reset: the connection broke`, or `north reset: the connection broke (40 times)`.
    fileprivate var line: String { "\(backend) \(failure)" + (count == 1 ? "" : " (\(count) times)") }
}

extension RelaySummary.Rejection {
    /// `at byte 2097152`, or `at byte 2097152 and 3 more`.
    fileprivate var line: String { count == 1 ? "at byte \(start)" : "at byte \(start) and \(count - 1) more" }
}

extension RelaySummary.Move {
    /// `north → south at byte 26214400 after 3.2 ms (reset)`.
    fileprivate var line: String {
        let milliseconds = (gap / .microseconds(1)).rounded() / 1000
        return "\(from) → \(to) at byte \(offset) after \(milliseconds) ms (\(cause.reason.rawValue))"
    }
}

extension Location {
    /// Whether a read of it came to nothing lately, and the next one has a date.
    fileprivate var isReadLater: Bool { nextReadAt.map { $0 > .now } ?? false }
}
