import BackendKit
import FormatInspection
import FoundationEssentials
import ImageCatalog
import ImageModel
import Integrity
import LocationLifecycle
import Logging

// Applies the result of a verification.
extension Verifier {
    /// The shortest delay in seconds before the retry of a read for which there was no capacity.
    private static let busyDelay: TimeInterval = 60

    func matched(_ location: Location, _ content: LocationContent, _ manifest: Manifest?) async throws -> Result {
        do {
            _ = try await statusChanges.recordMatch(of: location, content)
        } catch let error as CatalogError {
            guard case .differentContent = error else { throw error }
            // The representation was created during the read, with another content. The next read compares the location with
            // it.
            try await leave(location, reason: "\(error)", nextReadAt: .now)
            return .undecided
        }
        logger.info("location.verified: A location was read alone and matched its digest.", metadata: metadata(of: location))
        if let manifest { try await keep(manifest, of: location, content) }
        return .matched
    }

    /// Stores the manifest after the digest of the whole matched. A failure to store it does not affect the match.
    private func keep(_ manifest: Manifest, of location: Location, _ content: LocationContent) async throws {
        do {
            // Resolved now, since this read may have created the representation.
            let resolution = try await catalog.resolve(location.image, format: RequestedFormat(location.format))
            guard let representation = resolution?.representation,
                content.digests[representation.identity.algorithm] == representation.identity
            else { return }
            if let stored = resolution?.manifest {
                guard try await contradicts(manifest, stored) else { return }
                logger.critical(
                    "manifest.replaced: A manifest did not match the verified content and was replaced.",
                    metadata: metadata(of: location))
                _ = try await catalog.forgetManifest(stored)
            }
            guard
                try await catalog.addManifest(manifest.layout, pages: manifest.pages, of: representation, at: .now)
            else { return }
            logger.info(
                "manifest.stored: A manifest was stored.",
                metadata: metadata(of: location).merging(["chunks": .stringConvertible(manifest.layout.count)]) { $1 })
        } catch let error as CatalogError {
            logger.error(
                "manifest.store_failed: A manifest could not be stored.",
                metadata: metadata(of: location).merging(["error": "\(error)"]) { $1 })
        }
    }

    /// Whether a stored manifest differs for the same bytes.
    private func contradicts(_ manifest: Manifest, _ stored: StoredManifest) async throws -> Bool {
        guard stored.layout == manifest.layout else { return false }
        for page in manifest.pages {
            guard try await catalog.manifestPage(page.number, of: stored) == page else { return true }
        }
        return false
    }

    func carryOut(
        _ decision: Attribution, on location: Location, found: Attribution.OtherContent
    ) async throws -> Result {
        switch decision {
        case .clear, .undecided: return try await contradicted(location)
        case .recordDeclaredConflict:
            let reason = "another location has the same content, which is not the declared one"
            logger.critical(
                "representation.digest_conflict: Two locations agree with each other against the declared digest. Either the digest or both locations are wrong.",
                metadata: metadata(of: location))
            try await catalog.recordDigestConflict(of: location.id, reason: reason, at: .now)
            try await leave(location, reason: reason)
            return .digestConflict
        case .quarantine:
            let content = found.digest.map { "\(found.size) bytes, \($0)" } ?? "\(found.size) bytes"
            return try await quarantineWithinLimit(location, reason: "two reads of it alone found other content: \(content)")
        }
    }

    func contradicted(_ location: Location) async throws -> Result {
        logger.warning(
            "verification.undecided: Reads of a location contradict each other. Its status does not change.",
            metadata: metadata(of: location))
        try await leave(location, reason: "its reads contradict each other")
        return .undecided
    }

    /// Handles a location whose bytes are as declared and whose format is not acceptable. That is not evidence against
    /// its backend. After the first start with `uploads.inspect_format` there may be many. They are taken out a few at a time,
    /// so that an operator notices.
    func refuse(_ location: Location, _ refusal: FormatRefusal) async throws -> Result {
        guard !serves(location) || allowsRefusal(on: location.backend) else {
            logger.critical(
                "location.quarantine_postponed: A backend has many locations with an unacceptable format. This one keeps serving until its next read.",
                metadata: metadata(of: location).merging(["reason": "\(refusal)"]) { $1 })
            try await leave(location, reason: Self.limitReached)
            return .undecided
        }
        return try await quarantine(location, reason: refusal.description)
    }

    /// Handles a location that could not be read: it returns to its previous status and is retried later. An object that stays
    /// missing while the backend's other objects can be read counts as gone.
    func unreadable(_ location: Location, _ failure: AttemptFailure) async throws -> Result {
        if failure.failureClass == .throttled {
            // A limit of Baton or of the server was reached, which is not evidence against the location.
            let delay = max((failure.retryAfter ?? .zero).timeInterval, Self.busyDelay)
            try await leave(
                location, reason: "its backend was too busy for the read: \(failure)", nextReadAt: .now + delay,
                isCounted: false)
            return .unreadable(failure)
        }
        logger.warning(
            "verification.incomplete: A location could not be read in full.",
            metadata: metadata(of: location).merging(["failure": "\(failure)"]) { $1 })
        if location.state.status == .active, failure.reason == .missing, failure.failureClass == .location {
            let absence = try await catalog.recordMiss(of: location.id, at: .now, nextReadAt: schedule.nextLook(from: .now))
            guard absence.misses.count >= ReadSchedule.missLimit, absence.isBackendReadable else { return .unreadable(failure) }
            return try await quarantineWithinLimit(
                location, reason: "scrubs missed it \(absence.misses.count) times within a day while its backend served others")
        }
        let nextReadAt = schedule.retry(after: location.failedReads, from: .now)
        statusChanges.noteFailure(of: location.id, failure)
        try await leave(location, reason: "it could not be read: \(failure)", nextReadAt: nextReadAt)
        return .unreadable(failure)
    }

    private static let limitReached = "too many locations of its backend were quarantined within ten minutes"

    /// Whether the location is in service, or was until this read.
    private func serves(_ location: Location) -> Bool {
        location.state.status == .active || location.state.before.last == .active
    }

    private func quarantineWithinLimit(_ location: Location, reason: String) async throws -> Result {
        guard !serves(location) || allowsQuarantine(on: location.backend) else {
            logger.critical(
                "backend.quarantine_limit: Too many locations of a backend are wrong at once. None is quarantined now, and the backend's breaker opens.",
                metadata: metadata(of: location))
            statusChanges.tripBreaker(location.backend, because: location.id)
            try await leave(location, reason: Self.limitReached)
            return .undecided
        }
        return try await quarantine(location, reason: reason)
    }

    private func quarantine(_ location: Location, reason: String) async throws -> Result {
        guard let current = try await catalog.location(location.id) else { return .skipped }
        let event: LocationEvent = current.state.status == .verifying ? .mismatched : .quarantine
        _ = try await statusChanges.apply(event, to: current, actor: "baton", reason: reason)
        logger.error(
            "location.quarantined: A location was quarantined because its content is wrong or gone.",
            metadata: metadata(of: location).merging(["reason": "\(reason)"]) { $1 })
        return .quarantined
    }

    /// Ends a read without a decision: a location that was taken out for the read returns to its previous status, and is read
    /// again later.
    private func leave(
        _ location: Location, reason: String, nextReadAt: Date? = nil, isCounted: Bool = true
    ) async throws {
        let next = nextReadAt ?? schedule.nextLook(from: .now)
        if isCounted {
            try await catalog.recordFailedRead(of: location.id, nextReadAt: next)
        } else {
            try await catalog.postponeRead(of: location.id, until: next)
        }
        guard let current = try await catalog.location(location.id), current.state.status == .verifying else { return }
        _ = try await statusChanges.apply(
            .unreachable, to: current, actor: "baton", reason: reason,
            nextReadAt: current.state.before.last == .quarantined && isCounted ? nil : next)
    }
}
