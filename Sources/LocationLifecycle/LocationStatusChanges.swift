package import BackendKit
package import FoundationEssentials
package import ImageCatalog
package import ImageModel
package import RelayEngine

/// Changes the status of locations: first in the catalog, then in the running relays. Changes that are part of a larger transaction
/// of the catalog (uploads, patches of an image, a restart) are made there, and the caller reports them here (`wereDeleted`).
package struct LocationStatusChanges: Sendable {
    private let catalog: any Catalog
    private let running: RunningRelays
    private let health: HealthRecord
    private let schedule: ReadSchedule
    private let deleteDelay: Duration
    /// The full reads that are under way.
    package let reads = RunningReads()
    /// Signals that a location began to serve.
    package let activations = WakeSignal()

    /// - Parameters:
    ///   - relays: the relays that leave a withdrawn location, and the health of the locations.
    ///   - deleteDelay: the time from an operator's request to the deletion of a location.
    package init(catalog: any Catalog, relays: Relays, schedule: ReadSchedule, deleteDelay: Duration) {
        self.catalog = catalog
        running = relays.running
        health = relays.health
        self.schedule = schedule
        self.deleteDelay = deleteDelay
    }

    /// Applies an event to a location.
    /// - Parameter isForced: whether even the last active location of an image may be deleted.
    /// - Throws: `CatalogError`.
    package func apply(
        _ event: LocationEvent, to location: Location, actor: String, reason: String, validator: Validator? = nil,
        isForced: Bool = false, nextReadAt: Date? = nil, at time: Date = .now
    ) async throws -> Location {
        // Before the catalog's transaction, so that no download finds it active there and withdrawn here.
        if Self.letsServe(event) { running.readmit(location.id) }
        let changed = try await catalog.apply(
            LocationChange(
                event, of: location.id, actor: actor, reason: reason, at: time, validator: validator, isForced: isForced,
                expiresAt: event == .delete ? expiry(from: time) : nil,
                nextReadAt: nextReadAt ?? recheck(event, location, time)))
        if changed.state.status.serves { activations.wake() }
        if event == .disable || event == .delete { reads.cancel(location.id) }
        if !changed.state.status.serves {
            running.withdraw(location.id, atOnce: changed.state.status == .quarantined)
            // The location may have been enabled again between the transaction and the withdrawal.
            if try await catalog.location(location.id)?.state.status.serves == true { running.readmit(location.id) }
        }
        return changed
    }

    /// Opens a backend's breaker after too much wrong content. Its locations are ranked behind the others until a probe succeeds.
    package func tripBreaker(_ backend: BackendID, because location: LocationID) {
        health.tripBreaker(backend, because: location)
    }

    /// Records the failure of a full read as the location's last failure, which explain shows.
    package func noteFailure(of location: LocationID, _ failure: AttemptFailure) { health.noteFailure(of: location, failure) }

    /// The time at which a location deleted at `time` expires.
    package func expiry(from time: Date) -> Date { time + deleteDelay.timeInterval }

    /// Handles locations that were deleted in a larger transaction of the catalog: running relays leave them, and their reads
    /// end.
    package func wereDeleted(_ locations: [LocationID]) {
        for location in locations {
            reads.cancel(location)
            running.withdraw(location, atOnce: false)
        }
    }

    /// Records a full read of a location alone that matched: the location is cleared, and serves again if it was taken out for
    /// the read.
    /// - Throws: `CatalogError`, including `differentContent`.
    package func recordMatch(
        of location: Location, _ content: LocationContent, at time: Date = .now
    ) async throws -> Location {
        running.readmit(location.id)
        let changed = try await catalog.recordMatch(of: location.id, content, at: time)
        if changed.state.status.serves { activations.wake() } else { running.withdraw(location.id, atOnce: false) }
        return changed
    }

    private static func letsServe(_ event: LocationEvent) -> Bool {
        switch event {
        case .probed, .matched, .unreachable, .enable, .restore: true
        default: false
        }
    }

    private func recheck(_ event: LocationEvent, _ location: Location, _ time: Date) -> Date? {
        switch event {
        // The location continues to serve; the scheduled read ensures that the request survives a restart.
        case .verify where location.state.status == .active: time
        case .quarantine, .mismatched: schedule.recheck(after: location.failedReads, from: time)
        // A failed read of a quarantined location.
        case .unreachable where location.state.before.last == .quarantined:
            schedule.recheck(after: max(0, location.failedReads - 1), from: time)
        default: nil
        }
    }
}
